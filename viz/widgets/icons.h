// The icons we use, by what they mean: code points of Material Design Icons (the Debian package's edition),
// as UTF-8. When that font is missing, load_fonts() maps none of them and controls show their words instead
// (icons_available()).
#pragma once

namespace sparsescope::icon {

inline constexpr const char* kPlay = "\xEF\x90\x8A";          // F40A play
inline constexpr const char* kPause = "\xEF\x8F\xA4";         // F3E4 pause
inline constexpr const char* kStop = "\xEF\x93\x9B";          // F4DB stop
inline constexpr const char* kFirst = "\xEF\x92\xAE";         // F4AE skip-previous
inline constexpr const char* kNewest = "\xEF\x92\xAD";        // F4AD skip-next
inline constexpr const char* kStepBack = "\xEF\x93\x95";      // F4D5 step-backward
inline constexpr const char* kStepForward = "\xEF\x93\x97";   // F4D7 step-forward
inline constexpr const char* kLoop = "\xEF\x91\x96";          // F456 repeat
inline constexpr const char* kLive = "\xEF\x80\x82";          // F002 access-point
inline constexpr const char* kSettings = "\xEF\x92\x93";      // F493 settings
inline constexpr const char* kHelp = "\xEF\x98\xA5";          // F625 help-circle-outline
inline constexpr const char* kSearch = "\xEF\x8D\x89";        // F349 magnify
inline constexpr const char* kFile = "\xEF\x88\xA4";          // F224 file-outline
inline constexpr const char* kRecent = "\xEF\x8B\x9A";        // F2DA history
inline constexpr const char* kFlag = "\xEF\x88\xBB";          // F23B flag
inline constexpr const char* kClose = "\xEF\x85\x96";         // F156 close
inline constexpr const char* kCheck = "\xEF\x84\xAC";         // F12C check
inline constexpr const char* kAlert = "\xEF\x97\x96";         // F5D6 alert-circle-outline
inline constexpr const char* kInformation = "\xEF\x8B\xBD";   // F2FD information-outline
inline constexpr const char* kChart = "\xEF\x84\xAA";         // F12A chart-line
inline constexpr const char* kArea = "\xEF\x84\xA7";          // F127 chart-areaspline
inline constexpr const char* kNight = "\xEF\x96\x94";         // F594 weather-night
inline constexpr const char* kDay = "\xEF\x96\x99";           // F599 weather-sunny
inline constexpr const char* kFullScreen = "\xEF\x8A\x93";    // F293 fullscreen
inline constexpr const char* kFlask = "\xEF\x82\x96";         // F096 flask-outline
inline constexpr const char* kChip = "\xEF\x98\x9A";          // F61A chip
inline constexpr const char* kTune = "\xEF\x98\xAE";          // F62E tune
inline constexpr const char* kMore = "\xEF\x87\x98";          // F1D8 dots-horizontal
inline constexpr const char* kChevronRight = "\xEF\x85\x82";  // F142 chevron-right
inline constexpr const char* kChevronDown = "\xEF\x85\x80";   // F140 chevron-down
inline constexpr const char* kSave = "\xEF\x86\x93";          // F193 content-save
inline constexpr const char* kTarget = "\xEF\x93\xBE";        // F4FE target
inline constexpr const char* kExport = "\xEF\x88\x87";        // F207 export
inline constexpr const char* kCopy = "\xEF\x86\x8F";          // F18F content-copy
inline constexpr const char* kRetry = "\xEF\x91\x90";         // F450 refresh
inline constexpr const char* kKeyboard = "\xEF\x8C\x8C";      // F30C keyboard
inline constexpr const char* kRecord = "\xEF\x91\x8A";        // F44A record
inline constexpr const char* kDemo = "\xEF\x90\x8D";          // F40D play-circle-outline
inline constexpr const char* kWaiting = "\xEF\x94\x9F";       // F51F timer-sand
inline constexpr const char* kDisk = "\xEF\x8B\x8A";          // F2CA harddisk
inline constexpr const char* kChain = "\xEF\x8C\xB9";         // F339 link-variant
inline constexpr const char* kNeedle = "\xEF\x8E\x91";        // F391 needle

}  // namespace sparsescope::icon
