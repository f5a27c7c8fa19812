#include "bus/jetstream.h"

#include <algorithm>
#include <functional>
#include <sstream>
#include <type_traits>
#include <utility>

#include "bus/link.h"
#include "bus/status.h"

namespace bus {

namespace asio = boost::asio;
using base::Errc;

namespace {

constexpr jsErrCode kStreamNotFound = jsErrCode(10059);
constexpr jsErrCode kNameInUse = jsErrCode(10058);

std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::chrono::nanoseconds value) {
  std::ostringstream out;
  out.precision(12);  // 90 days are 7776000s
  out << std::chrono::duration<double>(value).count() << "s";
  return out.str();
}
std::string text_of(Storage value) { return value == Storage::file ? "file" : "memory"; }
std::string text_of(Discard value) { return value == Discard::oldest ? "old" : "new"; }
std::string text_of(const std::vector<std::string>& value) {
  std::string text;
  for (const auto& it : value) text.append(text.empty() ? "" : ", ").append(it);
  return text;
}

StreamConfig config_of(const jsStreamConfig& found) {
  StreamConfig config;
  config.name = found.Name;
  for (int i = 0; i < found.SubjectsLen; ++i) config.subjects.emplace_back(found.Subjects[i]);
  config.max_age = std::chrono::nanoseconds(found.MaxAge);
  config.max_bytes = found.MaxBytes;
  config.max_messages_per_subject = found.MaxMsgsPerSubject;
  config.replicas = found.Replicas;
  config.discard = found.Discard == js_DiscardNew ? Discard::newest : Discard::oldest;
  config.duplicate_window = std::chrono::nanoseconds(found.Duplicates);
  config.storage = found.Storage == js_MemoryStorage ? Storage::memory : Storage::file;
  config.allow_rollup = found.AllowRollup;
  config.deny_delete = found.DenyDelete;
  config.allow_direct = found.AllowDirect;
  return config;
}

// What NATS means by 0 in a limit, it also writes as -1.
std::int64_t limit(std::int64_t value) { return value <= 0 ? -1 : value; }

// Empty if all is as wanted.
std::string differences(StreamConfig wanted, StreamConfig found) {
  std::string text;
  const auto compare = [&text](const char* field, const auto& want, const auto& have) {
    if (want == have) return;
    text.append(text.empty() ? "" : "; ").append(field);
    text.append(": wanted ").append(text_of(want)).append(", found ").append(text_of(have));
  };
  std::sort(wanted.subjects.begin(), wanted.subjects.end());
  std::sort(found.subjects.begin(), found.subjects.end());
  compare("subjects", wanted.subjects, found.subjects);
  compare("max_age", wanted.max_age, found.max_age);
  compare("max_bytes", limit(wanted.max_bytes), limit(found.max_bytes));
  compare("max_messages_per_subject", limit(wanted.max_messages_per_subject),
          limit(found.max_messages_per_subject));
  compare("replicas", wanted.replicas, found.replicas);
  compare("discard", wanted.discard, found.discard);
  compare("duplicate_window", wanted.duplicate_window, found.duplicate_window);
  compare("storage", wanted.storage, found.storage);
  compare("allow_rollup", wanted.allow_rollup, found.allow_rollup);
  compare("deny_delete", wanted.deny_delete, found.deny_delete);
  compare("allow_direct", wanted.allow_direct, found.allow_direct);
  return text;
}

natsStatus get_stream(StreamInfoHandle& info, jsCtx* context, const std::string& stream,
                      jsErrCode& code) {
  jsStreamInfo* raw = nullptr;
  const auto status = js_GetStreamInfo(&raw, context, stream.c_str(), nullptr, &code);
  info.reset(raw);
  return status;
}

void set_limits(const StreamConfig& wanted, jsStreamConfig& config) {
  config.MaxAge = wanted.max_age.count();
  config.MaxBytes = limit(wanted.max_bytes);
  config.MaxMsgsPerSubject = limit(wanted.max_messages_per_subject);
  config.Duplicates = wanted.duplicate_window.count();
}

natsStatus add_stream(jsCtx* context, const StreamConfig& wanted, jsErrCode& code) {
  std::vector<const char*> subjects;
  for (const auto& it : wanted.subjects) subjects.push_back(it.c_str());
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = wanted.name.c_str();
  config.Subjects = subjects.data();
  config.SubjectsLen = static_cast<int>(subjects.size());
  set_limits(wanted, config);
  config.Replicas = wanted.replicas;
  config.Discard = wanted.discard == Discard::newest ? js_DiscardNew : js_DiscardOld;
  config.Storage = wanted.storage == Storage::memory ? js_MemoryStorage : js_FileStorage;
  config.AllowRollup = wanted.allow_rollup;
  config.DenyDelete = wanted.deny_delete;
  config.AllowDirect = wanted.allow_direct;
  return js_AddStream(nullptr, context, &config, nullptr, &code);
}

// The stream as it is, made if need be; or why not.
base::Result<void> get_or_add(StreamInfoHandle& info, jsCtx* context, const StreamConfig& wanted,
                              std::string& why) {
  auto code = jsErrCode(0);
  auto status = get_stream(info, context, wanted.name, code);
  if (status == NATS_NOT_FOUND || code == kStreamNotFound) {
    status = add_stream(context, wanted, code);
    if (status == NATS_OK) {
      why.clear();
      return {};
    }
    // Somebody else makes the same stream at the same time.
    if (code == kNameInUse) status = get_stream(info, context, wanted.name, code);
  }
  if (status != NATS_OK) {
    why = "stream " + wanted.name + ": " + detail_of(status, code);
    return to_error(status);
  }
  why = info ? differences(wanted, config_of(*info->Config)) : "";
  if (!why.empty()) why.insert(0, "stream " + wanted.name + ": ");
  return {};
}

base::Result<void> ensure_stream_now(jsCtx* context, const StreamConfig& wanted, std::string& why) {
  StreamInfoHandle info;
  if (const auto done = get_or_add(info, context, wanted, why); !done.has_value()) return done;
  if (why.empty()) return {};
  return Errc::config_mismatch;
}

base::Result<Fit> adapt_stream_now(jsCtx* context, const StreamConfig& wanted, std::string& why) {
  StreamInfoHandle info;
  if (const auto done = get_or_add(info, context, wanted, why); !done.has_value()) {
    return done.error();
  }
  if (why.empty()) return Fit::exact;
  StreamConfig limits = config_of(*info->Config);
  const bool has_copies = limits.replicas == wanted.replicas;
  limits.max_age = wanted.max_age;
  limits.max_bytes = wanted.max_bytes;
  limits.max_messages_per_subject = wanted.max_messages_per_subject;
  limits.replicas = wanted.replicas;
  limits.duplicate_window = wanted.duplicate_window;
  if (!differences(wanted, limits).empty()) return Errc::config_mismatch;
  jsStreamConfig& config = *info->Config;
  set_limits(wanted, config);
  auto code = jsErrCode(0);
  const auto status = js_UpdateStream(nullptr, context, &config, nullptr, &code);
  if (status == NATS_OK && has_copies) return Fit::adapted;
  if (status == NATS_OK) {
    why += " (replicas: not changed)";
    return Fit::other;
  }
  // Without the permission there is no reply at all.
  if (code == 0 && status != NATS_TIMEOUT) return to_error(status);
  why += " (not changed: " + detail_of(status, code) + ')';
  return Fit::other;
}

base::Result<StreamState> stream_state_now(jsCtx* context, const std::string& stream) {
  auto code = jsErrCode(0);
  StreamInfoHandle info;
  if (const auto status = get_stream(info, context, stream, code); status != NATS_OK) {
    return to_error(status);
  }
  return StreamState{.messages = info->State.Msgs,
                     .bytes = info->State.Bytes,
                     .first_sequence = info->State.FirstSeq,
                     .last_sequence = info->State.LastSeq,
                     .created = info->Created};
}

base::Result<void> delete_stream_now(jsCtx* context, const std::string& stream) {
  const auto status = js_DeleteStream(context, stream.c_str(), nullptr, nullptr);
  if (status != NATS_OK) return to_error(status);
  return {};
}

// Calls `function(context, arguments...)` on the worker, with the link there is by now.
template <class Function, class... Arguments>
auto run(Connection& connection, Function function, Arguments... arguments) {
  using Returned = std::invoke_result_t<Function, jsCtx*, Arguments&...>;
  auto job = [link = connection.link(), function, arguments...]() mutable -> Returned {
    jsCtx* const context = link ? link->context() : nullptr;
    if (context == nullptr) return Errc::bus_unavailable;
    return function(context, arguments...);
  };
  return connection.worker().run(std::move(job));
}

}  // namespace

base::Result<StoredMessage> last_message_now(Link* link, const std::string& stream,
                                             const std::string& subject) {
  jsCtx* const context = link ? link->context() : nullptr;
  if (context == nullptr) return Errc::bus_unavailable;
  auto code = jsErrCode(0);
  natsMsg* raw = nullptr;
  const auto status = js_GetLastMsg(&raw, context, stream.c_str(), subject.c_str(), nullptr, &code);
  const MessageHandle message(raw);
  if (status != NATS_OK) return to_error(status);
  StoredMessage stored;
  stored.subject = natsMsg_GetSubject(raw);
  stored.payload.assign(natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw)));
  stored.sequence = natsMsg_GetSequence(raw);
  stored.stored = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(natsMsg_GetTime(raw))));
  const char* value = nullptr;
  if (natsMsgHeader_Get(raw, "Nats-Msg-Id", &value) == NATS_OK) stored.id = value;
  if (natsMsgHeader_Get(raw, "KV-Operation", &value) == NATS_OK) stored.operation = value;
  return stored;
}

asio::awaitable<base::Result<void>> JetStream::ensure_stream(const StreamConfig& config,
                                                             std::string& why) {
  why = "not connected";
  auto pending = run(*connection_, ensure_stream_now, std::cref(config), std::ref(why));
  co_return co_await std::move(pending);
}

asio::awaitable<base::Result<Fit>> JetStream::adapt_stream(const StreamConfig& config,
                                                           std::string& why) {
  why = "not connected";
  auto pending = run(*connection_, adapt_stream_now, std::cref(config), std::ref(why));
  co_return co_await std::move(pending);
}

asio::awaitable<base::Result<StreamState>> JetStream::stream_state(std::string stream) {
  auto pending = run(*connection_, stream_state_now, std::move(stream));
  co_return co_await std::move(pending);
}

asio::awaitable<base::Result<StoredMessage>> JetStream::last_message(std::string stream,
                                                                     std::string subject) {
  auto job = [link = connection_->link(), stream = std::move(stream),
              subject = std::move(subject)] {
    return last_message_now(link.get(), stream, subject);
  };
  auto pending = connection_->worker().run(std::move(job));
  co_return co_await std::move(pending);
}

asio::awaitable<base::Result<void>> JetStream::delete_stream(std::string stream) {
  auto pending = run(*connection_, delete_stream_now, std::move(stream));
  co_return co_await std::move(pending);
}

}  // namespace bus
