# Dear ImGui (docking), ImPlot and, in test builds, the Test Engine: one matching set, sources listed by us.
# sparsescope::imgui is what views and widgets see; sparsescope::imgui_backends (GLFW, OpenGL) is for viz/render alone.
if(NOT EXISTS "${SPARSESCOPE_IMGUI_DIR}/imgui/imgui/imgui.h")
  message(FATAL_ERROR "SPARSESCOPE_IMGUI_DIR ('${SPARSESCOPE_IMGUI_DIR}') holds no imgui/imgui/imgui.h; "
                      "scripts/setup fetches the sources: set it to the folder 'external' of the imgui-bundle source distribution")
endif()
find_package(glfw3 3.3 REQUIRED)
find_package(OpenGL REQUIRED COMPONENTS OpenGL EGL)

set(imgui ${SPARSESCOPE_IMGUI_DIR}/imgui/imgui)
set(implot ${SPARSESCOPE_IMGUI_DIR}/implot/implot)
set(test_engine ${SPARSESCOPE_IMGUI_DIR}/imgui_test_engine/imgui_test_engine)

add_library(sparsescope_imgui STATIC
  ${imgui}/imgui.cpp ${imgui}/imgui_draw.cpp ${imgui}/imgui_tables.cpp ${imgui}/imgui_widgets.cpp
  ${imgui}/imgui_stacklayout.cpp ${imgui}/misc/cpp/imgui_stdlib.cpp
  ${implot}/implot.cpp ${implot}/implot_items.cpp)
target_include_directories(sparsescope_imgui SYSTEM PUBLIC ${imgui} ${imgui}/misc/cpp ${implot})
target_include_directories(sparsescope_imgui PUBLIC ${CMAKE_SOURCE_DIR})
target_compile_definitions(sparsescope_imgui PUBLIC IMGUI_USER_CONFIG="viz/render/imgui_config.h")

if(SPARSESCOPE_TESTS)
  # The hooks are compiled into ImGui, so everything of this build folder links the engine; no other build sees it.
  target_sources(sparsescope_imgui PRIVATE
    ${test_engine}/imgui_test_engine/imgui_te_context.cpp ${test_engine}/imgui_test_engine/imgui_te_coroutine.cpp
    ${test_engine}/imgui_test_engine/imgui_te_engine.cpp ${test_engine}/imgui_test_engine/imgui_te_python_gil.cpp
    ${test_engine}/imgui_test_engine/imgui_te_exporters.cpp
    ${test_engine}/imgui_test_engine/imgui_te_perftool.cpp ${test_engine}/imgui_test_engine/imgui_te_ui.cpp
    ${test_engine}/imgui_test_engine/imgui_te_utils.cpp ${test_engine}/imgui_test_engine/imgui_capture_tool.cpp)
  target_include_directories(sparsescope_imgui SYSTEM PUBLIC ${test_engine})
  target_compile_definitions(sparsescope_imgui PUBLIC SPARSESCOPE_IMGUI_TESTS)
  target_link_libraries(sparsescope_imgui PUBLIC Threads::Threads)
endif()
target_compile_options(sparsescope_imgui PRIVATE -w)
add_library(sparsescope::imgui ALIAS sparsescope_imgui)

add_library(sparsescope_imgui_backends STATIC
  ${imgui}/backends/imgui_impl_glfw.cpp ${imgui}/backends/imgui_impl_opengl3.cpp)
target_include_directories(sparsescope_imgui_backends SYSTEM PUBLIC ${imgui}/backends)
target_link_libraries(sparsescope_imgui_backends PUBLIC sparsescope_imgui glfw OpenGL::OpenGL OpenGL::EGL ${CMAKE_DL_LIBS})
target_compile_options(sparsescope_imgui_backends PRIVATE -w)
add_library(sparsescope::imgui_backends ALIAS sparsescope_imgui_backends)
