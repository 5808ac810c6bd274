// The window, its events, and what GLFW reports in words.
#include "viz/render/window.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <algorithm>
#include <cstring>

#include "engine/trace/error.h"
#include "imgui.h"
#include "imgui_impl_glfw.h"
#include "imgui_impl_opengl3.h"
#include "viz/render/framebuffer.h"
#include "viz/render/gl.h"
#include "viz/render/painter.h"

namespace sparsescope::render {
namespace {

std::string last_failure;

void remember_failure(int, const char* words) { last_failure = words; }

bool start_glfw() {
  static bool started = false;
  if (started) return true;
  glfwSetErrorCallback(remember_failure);
  started = glfwInit() == GLFW_TRUE;
  return started;
}

std::string no_display() {
  std::string sentence = "no display to open a window on";
  if (!last_failure.empty()) sentence += " (" + last_failure + ")";
  return sentence + ": run with --offscreen WxH, for example --offscreen 1920x1080";
}

}  // namespace

struct Window::Impl {
  GLFWwindow* window = nullptr;
  std::unique_ptr<Painter> painter;
  bool acted = false;  // the person did something since the last wait
  bool is_full_screen = false;
  int saved_x = 0, saved_y = 0, saved_width = 0, saved_height = 0;
  std::function<void(const std::vector<std::string>&)> drop;

  static Impl& of(GLFWwindow* window) { return *static_cast<Impl*>(glfwGetWindowUserPointer(window)); }
};

bool Window::display_available(std::string* reason) {
  const bool available = start_glfw();
  if (!available && reason != nullptr) *reason = no_display();
  return available;
}

Window::Window(const std::string& title, int width, int height) : impl_(std::make_unique<Impl>()) {
  if (!start_glfw()) throw Error(no_display());
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
  glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
  glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
  impl_->window = glfwCreateWindow(width, height, title.c_str(), nullptr, nullptr);
  if (impl_->window == nullptr) {
    throw Error("the window could not be opened (" + last_failure +
                "): OpenGL 3.3 is needed, or run with --offscreen WxH");
  }
  GLFWwindow* window = impl_->window;
  glfwMakeContextCurrent(window);
  glfwSwapInterval(1);
  glfwSetWindowUserPointer(window, impl_.get());
  // Our callbacks first: ImGui's back end calls on to those it finds.
  glfwSetCursorPosCallback(window, [](GLFWwindow* w, double, double) { Impl::of(w).acted = true; });
  glfwSetMouseButtonCallback(window, [](GLFWwindow* w, int, int, int) { Impl::of(w).acted = true; });
  glfwSetScrollCallback(window, [](GLFWwindow* w, double, double) { Impl::of(w).acted = true; });
  glfwSetKeyCallback(window, [](GLFWwindow* w, int, int, int, int) { Impl::of(w).acted = true; });
  glfwSetCharCallback(window, [](GLFWwindow* w, unsigned) { Impl::of(w).acted = true; });
  glfwSetWindowFocusCallback(window, [](GLFWwindow* w, int) { Impl::of(w).acted = true; });
  glfwSetFramebufferSizeCallback(window, [](GLFWwindow* w, int, int) { Impl::of(w).acted = true; });
  glfwSetWindowRefreshCallback(window, [](GLFWwindow* w) { Impl::of(w).acted = true; });
  glfwSetWindowCloseCallback(window, [](GLFWwindow* w) { Impl::of(w).acted = true; });
  glfwSetWindowContentScaleCallback(window, [](GLFWwindow* w, float, float) { Impl::of(w).acted = true; });
  glfwSetDropCallback(window, [](GLFWwindow* w, int count, const char** paths) {
    Impl& impl = Impl::of(w);
    impl.acted = true;
    if (impl.drop) impl.drop(std::vector<std::string>(paths, paths + count));
  });
  ImGui_ImplGlfw_InitForOpenGL(window, true);
  ImGui_ImplOpenGL3_Init("#version 330");
  impl_->painter = std::make_unique<Painter>();
}

Window::~Window() {
  impl_->painter.reset();
  if (ImGui::GetCurrentContext() != nullptr && ImGui::GetIO().BackendRendererUserData != nullptr) {
    ImGui_ImplOpenGL3_Shutdown();
    ImGui_ImplGlfw_Shutdown();
  }
  glfwDestroyWindow(impl_->window);
}

void Window::begin_frame() {
  ImGui_ImplOpenGL3_NewFrame();
  ImGui_ImplGlfw_NewFrame();
  ImGui::NewFrame();
}

void Window::end_frame() {
  ImGui::Render();
  int width = 0, height = 0;
  glfwGetFramebufferSize(impl_->window, &width, &height);
  impl_->painter->draw(*ImGui::GetDrawData(), 0, width, height);
  glfwSwapBuffers(impl_->window);
}

// Drawn once more into a picture of its own: what the front buffer holds after a swap is up to the driver.
Pixels Window::read_pixels() {
  ImDrawData* data = ImGui::GetDrawData();
  check(data != nullptr, "a window is read after it was drawn");
  int width = 0, height = 0;
  glfwGetFramebufferSize(impl_->window, &width, &height);
  const Framebuffer picture(width, height);
  impl_->painter->draw(*data, picture.id(), width, height);
  Pixels pixels = picture.read();
  glBindFramebuffer(GL_FRAMEBUFFER, 0);
  return pixels;
}

float Window::monitor_scale() const {
  float x = 1, y = 1;
  glfwGetWindowContentScale(impl_->window, &x, &y);
  return std::max(x, y) > 0 ? std::max(x, y) : 1;
}

std::string Window::description() const {
  return std::string(reinterpret_cast<const char*>(glGetString(GL_RENDERER))) + ", OpenGL " +
         reinterpret_cast<const char*>(glGetString(GL_VERSION));
}

bool Window::wait_events(double timeout_seconds) {
  impl_->acted = false;
  if (timeout_seconds <= 0) {
    glfwPollEvents();
  } else {
    glfwWaitEventsTimeout(timeout_seconds);
  }
  return impl_->acted;
}

void Window::wake() { glfwPostEmptyEvent(); }

bool Window::close_requested() const { return glfwWindowShouldClose(impl_->window) == GLFW_TRUE; }
void Window::cancel_close() { glfwSetWindowShouldClose(impl_->window, GLFW_FALSE); }
bool Window::is_hidden() const {
  return glfwGetWindowAttrib(impl_->window, GLFW_ICONIFIED) != 0 ||
         glfwGetWindowAttrib(impl_->window, GLFW_VISIBLE) == 0;
}

void Window::toggle_full_screen() {
  Impl& impl = *impl_;
  if (impl.is_full_screen) {
    glfwSetWindowMonitor(impl.window, nullptr, impl.saved_x, impl.saved_y, impl.saved_width,
                         impl.saved_height, GLFW_DONT_CARE);
  } else {
    GLFWmonitor* monitor = glfwGetPrimaryMonitor();
    if (monitor == nullptr) return;
    glfwGetWindowPos(impl.window, &impl.saved_x, &impl.saved_y);
    glfwGetWindowSize(impl.window, &impl.saved_width, &impl.saved_height);
    const GLFWvidmode* mode = glfwGetVideoMode(monitor);
    glfwSetWindowMonitor(impl.window, monitor, 0, 0, mode->width, mode->height, mode->refreshRate);
  }
  impl.is_full_screen = !impl.is_full_screen;
}

std::array<int, 2> Window::size() const {
  if (impl_->is_full_screen) return {impl_->saved_width, impl_->saved_height};
  std::array<int, 2> size{};
  glfwGetWindowSize(impl_->window, &size[0], &size[1]);
  return size;
}

void Window::resize(std::array<int, 2> size) { glfwSetWindowSize(impl_->window, size[0], size[1]); }

void Window::set_title(const std::string& title) { glfwSetWindowTitle(impl_->window, title.c_str()); }
void Window::on_drop(std::function<void(const std::vector<std::string>&)> handler) {
  impl_->drop = std::move(handler);
}

}  // namespace sparsescope::render
