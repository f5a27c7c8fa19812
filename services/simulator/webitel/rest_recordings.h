#pragma once

#include <string>
#include <string_view>

#include "simulator/webitel/accounts.h"
#include "simulator/webitel/channels.h"

namespace simulator::webitel {

inline constexpr std::string_view kRecordingType = "audio/wav";

// Of the sound, in bytes; it is a tone, as long as was recorded.
std::size_t recording_size(const Recording& recording);
std::string recording_name(const Recording& recording);
// Whether somebody gets recordings: permission record_file, or the action playback_record_file.
bool may_hear(const User& user);

}  // namespace simulator::webitel
