# The desktop program. Without training it replays only and knows neither torch nor CUDA.
sparsescope_library(app_desktop
  SOURCES desktop_options.cpp desktop_settings.cpp desktop_session.cpp sidecar.cpp desktop_pictures.cpp desktop_window.cpp export.cpp kept_sessions.cpp recovering.cpp reveal.cpp
  PUBLIC sparsescope::app_folders sparsescope::app_recordings sparsescope::app_signals sparsescope::record sparsescope::viz_frame sparsescope::viz_render
  PRIVATE sparsescope::manifest fmt::fmt nlohmann_json::nlohmann_json)
target_link_libraries(sparsescope_app_desktop PRIVATE sparsescope::build_info)
target_compile_definitions(sparsescope_app_desktop PRIVATE SPARSESCOPE_RECORDINGS="${CMAKE_SOURCE_DIR}/recordings"
                           SPARSESCOPE_LAYOUTS="${CMAKE_SOURCE_DIR}/assets/layouts")
if(SPARSESCOPE_TRAINING)
  target_sources(sparsescope_app_desktop PRIVATE desktop_training.cpp new_run.cpp)
  target_compile_definitions(sparsescope_app_desktop PUBLIC SPARSESCOPE_WITH_TRAINING)
  target_link_libraries(sparsescope_app_desktop PUBLIC sparsescope::app_run)
  # LibTorch exports a std::filesystem of its own in which remove_all calls nothing: the real one must be found first.
  target_link_options(sparsescope_app_desktop INTERFACE "SHELL:-Wl,--push-state,--no-as-needed -lstdc++ -Wl,--pop-state")
endif()

add_executable(sparsescope main.cpp)
sparsescope_settings(sparsescope)
target_link_libraries(sparsescope PRIVATE sparsescope::app_desktop fmt::fmt)
