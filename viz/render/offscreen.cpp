// Opens a display that is none, draws into a framebuffer object, reads it back.
#include "viz/render/offscreen.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>

#include <array>
#include <cstring>

#include "engine/trace/error.h"
#include "imgui.h"
#include "imgui_impl_opengl3.h"
#include "viz/render/framebuffer.h"
#include "viz/render/painter.h"

namespace sparsescope::render {
namespace {

EGLDisplay initialised(EGLDisplay display) {
  if (display == EGL_NO_DISPLAY) return EGL_NO_DISPLAY;
  EGLint major = 0, minor = 0;
  return eglInitialize(display, &major, &minor) == EGL_TRUE ? display : EGL_NO_DISPLAY;
}

bool client_supports(const char* extension) {
  const char* all = eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
  return all != nullptr && std::strstr(all, extension) != nullptr;
}

// A context of OpenGL 3.3 core on `display`, current without any surface; or EGL_NO_CONTEXT.
EGLContext make_context(EGLDisplay display) {
  if (eglBindAPI(EGL_OPENGL_API) != EGL_TRUE) return EGL_NO_CONTEXT;
  const EGLint wanted[] = {EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE};
  EGLConfig config = nullptr;
  EGLint found = 0;
  if (eglChooseConfig(display, wanted, &config, 1, &found) != EGL_TRUE || found == 0) return EGL_NO_CONTEXT;
  const EGLint version[] = {EGL_CONTEXT_MAJOR_VERSION,
                            3,
                            EGL_CONTEXT_MINOR_VERSION,
                            3,
                            EGL_CONTEXT_OPENGL_PROFILE_MASK,
                            EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
                            EGL_NONE};
  EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, version);
  if (context == EGL_NO_CONTEXT) return EGL_NO_CONTEXT;
  if (eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context) != EGL_TRUE) {
    eglDestroyContext(display, context);
    return EGL_NO_CONTEXT;
  }
  return context;
}

struct Attempt {
  EGLDisplay display = EGL_NO_DISPLAY;
  EGLContext context = EGL_NO_CONTEXT;
};

Attempt attempt_with(EGLDisplay candidate) {
  Attempt attempt;
  attempt.display = initialised(candidate);
  if (attempt.display != EGL_NO_DISPLAY) attempt.context = make_context(attempt.display);
  return attempt;
}

// Devices first (GPU before software, as the driver lists them), then surfaceless Mesa.
Attempt open_display() {
  const auto get_platform_display =
      reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(eglGetProcAddress("eglGetPlatformDisplayEXT"));
  const auto query_devices =
      reinterpret_cast<PFNEGLQUERYDEVICESEXTPROC>(eglGetProcAddress("eglQueryDevicesEXT"));
  if (get_platform_display != nullptr && query_devices != nullptr &&
      client_supports("EGL_EXT_platform_device")) {
    std::array<EGLDeviceEXT, 16> devices{};
    EGLint count = 0;
    if (query_devices(static_cast<EGLint>(devices.size()), devices.data(), &count) == EGL_TRUE) {
      for (EGLint i = 0; i < count; ++i) {
        const Attempt attempt = attempt_with(
            get_platform_display(EGL_PLATFORM_DEVICE_EXT, devices[static_cast<std::size_t>(i)], nullptr));
        if (attempt.context != EGL_NO_CONTEXT) return attempt;
      }
    }
  }
  if (get_platform_display != nullptr && client_supports("EGL_MESA_platform_surfaceless")) {
    const Attempt attempt =
        attempt_with(get_platform_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr));
    if (attempt.context != EGL_NO_CONTEXT) return attempt;
  }
  return {};
}

}  // namespace

struct Offscreen::Impl {
  EGLDisplay display = EGL_NO_DISPLAY;
  EGLContext context = EGL_NO_CONTEXT;
  std::unique_ptr<Framebuffer> framebuffer;
  std::unique_ptr<Painter> painter;
};

Offscreen::Offscreen(int width, int height) : impl_(std::make_unique<Impl>()) {
  const Attempt attempt = open_display();
  if (attempt.context == EGL_NO_CONTEXT) {
    throw Error(
        "this machine draws nothing without a display: EGL offers no OpenGL 3.3; install libgl1-mesa-dri for "
        "a software renderer");
  }
  impl_->display = attempt.display;
  impl_->context = attempt.context;
  impl_->framebuffer = std::make_unique<Framebuffer>(width, height);
  ImGui_ImplOpenGL3_Init("#version 330");
  impl_->painter = std::make_unique<Painter>();
  ImGui::GetIO().BackendPlatformName = "off screen";
}

Offscreen::~Offscreen() {
  if (impl_->context == EGL_NO_CONTEXT) return;
  impl_->painter.reset();
  if (ImGui::GetCurrentContext() != nullptr && ImGui::GetIO().BackendRendererUserData != nullptr)
    ImGui_ImplOpenGL3_Shutdown();
  impl_->framebuffer.reset();
  eglMakeCurrent(impl_->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
  eglDestroyContext(impl_->display, impl_->context);
}

void Offscreen::resize(int width, int height) {
  impl_->framebuffer = std::make_unique<Framebuffer>(width, height);
}

void Offscreen::begin_frame() {
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = {static_cast<float>(impl_->framebuffer->width()),
                    static_cast<float>(impl_->framebuffer->height())};
  io.DisplayFramebufferScale = {1, 1};
  io.DeltaTime = 1.f / 60.f;
  ImGui_ImplOpenGL3_NewFrame();
  ImGui::NewFrame();
}

void Offscreen::end_frame() {
  ImGui::Render();
  impl_->painter->draw(*ImGui::GetDrawData(), impl_->framebuffer->id(), impl_->framebuffer->width(),
                       impl_->framebuffer->height());
  glFinish();
}

Pixels Offscreen::read_pixels() { return impl_->framebuffer->read(); }

std::string Offscreen::description() const {
  return std::string(reinterpret_cast<const char*>(glGetString(GL_RENDERER))) + ", OpenGL " +
         reinterpret_cast<const char*>(glGetString(GL_VERSION));
}

}  // namespace sparsescope::render
