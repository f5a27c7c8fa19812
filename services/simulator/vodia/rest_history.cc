#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "simulator/engine/sound.h"
#include "simulator/vodia/rest.h"

// Calls that are over, and what was recorded of them.
namespace simulator::vodia {

namespace json = boost::json;
using engine::HttpReply;

namespace {

constexpr std::size_t kPageSize = 50;
constexpr std::size_t kPageSizeMax = 1'000;

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// YYYYMMDD, of the world's time.
std::uint64_t date_of(const Pbx& pbx, engine::TimePoint at) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(pbx.settings.clock.unix_millis(at))};
  const year_month_day day{floor<days>(time)};
  return static_cast<std::uint64_t>(static_cast<int>(day.year())) * 10'000 +
         static_cast<unsigned>(day.month()) * 100 + static_cast<unsigned>(day.day());
}

// A limit is a date if it has eight digits, else the number of a record.
bool within(const RestCall& call, const CallRecord& record) {
  constexpr std::size_t kDateDigits = 8;
  const std::string start = call.query("start"), end = call.query("end");
  const auto position = [&](const std::string& limit) {
    return limit.size() == kDateDigits ? date_of(call.pbx, record.start) : record.number;
  };
  if (const auto least = number_of(start); least && position(start) < *least) return false;
  if (const auto most = number_of(end); most && position(end) > *most) return false;
  return true;
}

using Records = std::vector<const CallRecord*>;

// The newest first.
template <class Wanted>
Records records_of(const RestCall& call, Wanted wanted) {
  Records all;
  const auto& ended = call.pbx.calls.ended();
  for (auto it = ended.rbegin(); it != ended.rend(); ++it) {
    if (wanted(*it)) all.push_back(&*it);
  }
  return all;
}

// Pages count from 1.
Records page_of(const RestCall& call, Records all) {
  const auto size = std::min<std::size_t>(
      std::max<std::uint64_t>(number_of(call.query("size")).value_or(kPageSize), 1), kPageSizeMax);
  const auto page = std::max<std::uint64_t>(number_of(call.query("page")).value_or(1), 1);
  const auto first = std::min<std::uint64_t>((page - 1) * size, all.size());
  const auto last = std::min<std::uint64_t>(first + size, all.size());
  return {all.begin() + static_cast<std::ptrdiff_t>(first),
          all.begin() + static_cast<std::ptrdiff_t>(last)};
}

bool took_part(const CallRecord& record, const std::string& number) {
  return std::find(record.extensions.begin(), record.extensions.end(), number) !=
         record.extensions.end();
}

json::object record_json(const Pbx& pbx, const CallRecord& it) {
  json::array extensions, trunks;
  for (const auto& number : it.extensions) {
    const auto digits = number_of(number);
    extensions.push_back(digits ? json::value(*digits) : json::value(number));
  }
  if (it.outside) trunks.emplace_back(1);
  return {{"id", it.number},
          {"call_id", it.id},
          {"from", pbx.encoder.party(it.from)},
          {"to", pbx.encoder.party(it.to)},
          {"start", pbx.encoder.time_text(it.start)},
          {"connect", it.answered ? pbx.encoder.time_text(*it.answered) : ""},
          {"end", pbx.encoder.time_text(it.end)},
          {"rating", ""},
          {"pcap", false},
          {"extensions", std::move(extensions)},
          {"trunks", std::move(trunks)}};
}

HttpReply cdrs(const RestCall& call) {
  json::array list;
  for (const auto* it :
       page_of(call, records_of(call, [&](const auto& record) { return within(call, record); }))) {
    list.push_back(record_json(call.pbx, *it));
  }
  return json_reply(list);
}

HttpReply cdr(const RestCall& call) {
  const auto number = number_of(call.query("id"));
  const auto found = records_of(call, [&](const auto& it) { return it.number == number; });
  return found.empty() ? bare_reply(404) : json_reply(record_json(call.pbx, *found.front()));
}

HttpReply history(const RestCall& call) {
  const std::string& own = call.number();
  const auto all = records_of(call, [&](const auto& it) { return took_part(it, own); });
  std::size_t missed = 0;
  json::array data;
  for (const auto* it : all) {
    const bool inbound = it->from != own;
    if (inbound && !it->answered) ++missed;
  }
  for (const auto* it : page_of(call, all)) {
    json::object entry = record_json(call.pbx, *it);
    entry["inbound"] = it->from != own;
    entry["external"] = it->outside;
    entry["comment"] = it->comment;
    entry["category"] = it->category;
    data.push_back(std::move(entry));
  }
  return json_reply({{"total", all.size()},
                     {"missed", missed},
                     {"data", std::move(data)},
                     {"missedspan", ""},
                     {"categories", "[]"}});
}

// ---- Recordings

struct Span {
  engine::TimePoint from, to;
};
Span recorded_in(const CallRecord& it) {
  const auto from = it.record_from.value_or(it.answered.value_or(it.start));
  return {from, std::max(from, it.record_to.value_or(it.end))};
}

std::string file_of(const CallRecord& it) { return "rec-" + std::to_string(it.number) + ".wav"; }

std::string sound_of(const CallRecord& it) {
  const Span span = recorded_in(it);
  return engine::wav_tone(std::chrono::duration_cast<engine::Millis>(span.to - span.from),
                          it.number);
}

HttpReply sound_reply(const CallRecord& it) {
  HttpReply reply = bare_reply(200);
  reply.headers.emplace_back("Content-Type", "audio/wav");
  reply.body = sound_of(it);
  return reply;
}

json::object recording_json(const Pbx& pbx, const CallRecord& it) {
  const Span span = recorded_in(it);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span.to - span.from);
  return {{"id", it.number},
          {"from", pbx.encoder.party(it.from)},
          {"to", pbx.encoder.party(it.to)},
          {"extension", it.extensions.empty() ? "" : it.extensions.front()},
          {"agent", ""},
          {"group", ""},
          {"status", "adhoc"},
          {"notes", it.comment},
          {"time", pbx.encoder.time_text(span.from)},
          {"duration", seconds.count()},
          {"file", file_of(it)}};
}

Records recorded(const RestCall& call) {
  const bool one = call.account != engine::kOutside;
  return records_of(
      call, [&](const auto& it) { return it.recorded && (!one || took_part(it, call.number())); });
}

HttpReply recordings(const RestCall& call) {
  if (const auto wanted = number_of(call.query("id"))) {
    for (const auto* it : recorded(call)) {
      if (it->number == *wanted) return sound_reply(*it);
    }
    return bare_reply(404);
  }
  json::array list;
  const bool ids_only = call.pbx.settings.profile == Profile::legacy2016;
  for (const auto* it : page_of(call, recorded(call))) {
    if (ids_only) {
      list.push_back(it->number);
    } else {
      list.push_back(recording_json(call.pbx, *it));
    }
  }
  return json_reply(list);
}

// "recs", or the ids of some, with commas in between.
HttpReply some_recordings(const RestCall& call) {
  const auto all = recorded(call);
  if (call.rest == "recs") return json_reply(all.size());
  json::array list;
  for (std::size_t at = 0; at < call.rest.size();) {
    const auto end = std::min(call.rest.find(',', at), call.rest.size());
    const auto wanted = number_of(std::string_view(call.rest).substr(at, end - at));
    at = end + 1;
    for (const auto* it : all) {
      if (it->number == wanted) list.push_back(recording_json(call.pbx, *it));
    }
  }
  return json_reply(list);
}

// Of servers before 69: the sound by the name of its file.
HttpReply audio(const RestCall& call) {
  const bool wanted = call.query("type") == "recording" && !call.pbx.settings.modern();
  const std::string file = call.query("id");
  for (const auto* it : recorded(call)) {
    if (wanted && file_of(*it) == file) return sound_reply(*it);
  }
  return bare_reply(404);
}

}  // namespace

std::span<const RestRoute> history_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"GET", "/rest/domain/{domain}/cdrs", Needs::tenant, cdrs},
      {"GET", "/rest/domain/{domain}/cdr", Needs::tenant, cdr},
      {"GET", "/rest/user/{account}/history", Needs::itself, history},
      {"GET", "/rest/domain/{domain}/recs", Needs::tenant, recordings},
      {"GET", "/rest/domain/{domain}/recs/*", Needs::tenant, some_recordings},
      {"GET", "/rest/user/{account}/recs", Needs::itself, recordings},
      {"GET", "/rest/user/{account}/recs/*", Needs::itself, some_recordings},
      {"GET", "/audio.wav", Needs::tenant, audio},
  };
  return kRoutes;
}

}  // namespace simulator::vodia
