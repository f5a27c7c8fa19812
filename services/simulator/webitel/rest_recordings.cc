#include "simulator/webitel/rest_recordings.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "simulator/engine/sound.h"
#include "simulator/webitel/rest.h"
#include "simulator/webitel/rest_listing.h"
#include "simulator/webitel/text.h"

// What was recorded of calls: the storage service, which is another one than the rest and checks
// tokens in its own way.
namespace simulator::webitel {

using engine::HttpAnswer;

namespace {

engine::Millis length_of(const Recording& it) {
  return std::chrono::duration_cast<engine::Millis>(it.to - it.from);
}

// A token that is none is no 401 here, and comes back in the text for everybody to read.
Problem session_expired(const std::string& token) {
  return {"api.context.session_expired.app_error", 500, "token=" + token};
}

// X-Webitel-Access, Authorization: Bearer, or ?access_token=.
std::string token_of(const RestCall& call) {
  constexpr std::string_view kBearer = "Bearer ";
  if (const auto token = call.http.header("x-webitel-access"); !token.empty()) {
    return std::string(token);
  }
  const auto bearer = call.http.header("authorization");
  if (bearer.starts_with(kBearer)) return std::string(bearer.substr(kBearer.size()));
  return call.query("access_token");
}

struct Found {
  const Channel* channel = nullptr;
  const Recording* recording = nullptr;
};

// Only what is over is a file.
Found find_file(const Channels& channels, std::string_view text) {
  const auto id = integer_from(text);
  const auto look = [&](const Channel& channel) -> Found {
    for (const auto& it : channel.recordings) {
      if (it.id == id && it.over) return {&channel, &it};
    }
    return {};
  };
  for (const Channel& it : channels.ended()) {
    if (const Found found = look(it); found.recording) return found;
  }
  for (const Channel* it : channels.live()) {
    if (const Found found = look(*it); found.recording) return found;
  }
  return {};
}

// "bytes=0-99", "bytes=100-", "bytes=-100": the first and the last byte. Nothing if it is none of
// them, or beyond the end.
std::optional<std::pair<std::size_t, std::size_t>> range_of(std::string_view text,
                                                            std::size_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit) || size == 0) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = integer_from(text.substr(0, dash)), last = integer_from(text.substr(dash + 1));
  if (dash == 0) {
    if (!last || *last <= 0) return std::nullopt;
    const auto count = std::min(static_cast<std::size_t>(*last), size);
    return std::pair(size - count, size - 1);
  }
  const bool to_the_end = dash + 1 == text.size();
  if (!first || *first < 0 || static_cast<std::size_t>(*first) >= size) return std::nullopt;
  if (!to_the_end && (!last || *last < *first)) return std::nullopt;
  const auto end = to_the_end ? size - 1 : std::min(static_cast<std::size_t>(*last), size - 1);
  return std::pair(static_cast<std::size_t>(*first), end);
}

HttpAnswer file_reply(const RestCall& call, bool stream) {
  const std::string token = token_of(call);
  const User* who = call.pbx.accounts.find_user(call.pbx.accounts.holder_of(token, call.now));
  if (!who) return directory_problem(session_expired(token));
  if (!may_hear(*who)) {
    return directory_problem(
        {"call.recordings.access.forbidden", 403,
         "userId=" + std::to_string(who->id) + ", permission=record_file access=read"});
  }
  const Found found = find_file(call.pbx.channels, call.args.front());
  if (!found.recording)
    return directory_problem({"store.sql_file.get.app_error", 404, "no such file"});

  HttpAnswer answer;
  engine::HttpReply& reply = answer.reply;
  std::string sound = engine::wav_tone(length_of(*found.recording),
                                       static_cast<std::uint64_t>(found.recording->id));
  reply.headers.emplace_back("Content-Type", kRecordingType);
  if (!stream) {
    reply.headers.emplace_back("Content-Disposition",
                               "attachment; filename=\"" + recording_name(*found.recording) + '"');
    reply.body = std::move(sound);
    return answer;
  }
  reply.headers.emplace_back("Accept-Ranges", "bytes");
  const std::string size = std::to_string(sound.size());
  const auto range = call.http.header("range");
  if (range.empty()) {
    reply.body = std::move(sound);
  } else if (const auto bytes = range_of(range, sound.size())) {
    const auto [first, last] = *bytes;
    reply.status = 206;
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + '-' +
                                                    std::to_string(last) + '/' + size);
    reply.body = sound.substr(first, last - first + 1);
  } else {
    reply.status = 416;
    reply.headers.emplace_back("Content-Range", "bytes */" + size);
  }
  return answer;
}

HttpAnswer download(const RestCall& call) { return file_reply(call, false); }
HttpAnswer stream(const RestCall& call) { return file_reply(call, true); }

HttpAnswer files_of_call(const RestCall& call) {
  const Channel* channel = call.pbx.channels.find_any(call.args.front());
  if (!channel) return engine_problem(call.pbx, problems::no_call());
  std::vector<json::object> rows;
  for (const auto& it : channel->recordings) {
    if (!it.over || !may_hear(*call.user)) continue;
    rows.push_back({{"id", std::to_string(it.id)},
                    {"name", recording_name(it)},
                    {"mime_type", kRecordingType},
                    {"size", std::to_string(recording_size(it))},
                    {"uploaded_at", std::to_string(call.pbx.channels.millis(it.to))},
                    {"channel", "call"}});
  }
  const ListStyle style{kEngineSize, kSizeMax, {}, {}};
  return engine_answer(call.pbx, list_of(Arguments(call.http.query()), style, std::move(rows)));
}

}  // namespace

std::size_t recording_size(const Recording& recording) {
  return engine::wav_size(length_of(recording));
}

std::string recording_name(const Recording& recording) {
  return "recording-" + std::to_string(recording.id) + ".wav";
}

bool may_hear(const User& user) {
  return Accounts::may(user, "record_file", 'r') ||
         Accounts::may(user, "playback_record_file", 'r');
}

std::span<const RestRoute> recording_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"GET", "/storage/recordings/{}/download", nullptr, '-', false, download},
      {"GET", "/storage/recordings/{}/stream", nullptr, '-', false, stream},
      {"GET", "/storage/file/{}/download", nullptr, '-', false, download},
      {"GET", "/storage/file/{}/stream", nullptr, '-', false, stream},
      {"GET", "/calls/{}/files", "calls", 'r', false, files_of_call},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
