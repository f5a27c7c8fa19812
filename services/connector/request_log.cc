#include "connector/request_log.h"

#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/sha.h>

#include "wire/names.h"
#include "wire/sensitive.h"
#include "wire/token.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::OwnerRequest;
using pbxgw::v1::RequestRecord;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

std::string key_of(const OwnerRequest& request) {
  const auto tenant = wire::parse_tenant(request.tenant());
  return wire::to_token(tenant ? tenant->str() : "") + "." + wire::to_token(request.request_id());
}

RequestRecord record_of(const OwnerRequest& request, std::uint64_t epoch) {
  RequestRecord record;
  record.set_request_hash(hash_of(request));
  record.set_epoch(epoch);
  return record;
}

wire::Failure reused() {
  return {Errc::request_id_reused,
          "request_id: was used before for another request; expected a fresh UUID",
          "request_id",
          {}};
}

}  // namespace

std::string hash_of(const OwnerRequest& request) {
  // Deterministic within one release of protobuf, which is what both sides of a retry run; maps are
  // sorted by hand, since protobuf promises no order for them.
  OwnerRequest bare = request;
  bare.clear_request_id();
  bare.clear_deadline();
  bare.clear_traceparent();
  // The hash is kept: nobody is to try passwords against it.
  wire::clear_sensitive(bare);
  std::string text;
  if (bare.has_command()) {
    const std::map<std::string, std::string> data(bare.command().data().begin(),
                                                  bare.command().data().end());
    for (const auto& [name, value] : data) {
      text += std::to_string(name.size()) + ':' + name + std::to_string(value.size()) + ':' + value;
    }
    bare.mutable_command()->clear_data();
  }
  text += bare.SerializeAsString();
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

asio::awaitable<RequestLog::Begun> RequestLog::begin(OwnerRequest request, std::uint64_t epoch) {
  const std::string key = key_of(request);
  const std::string hash = hash_of(request);
  auto waiting = await_running(key, hash);
  if (auto known = co_await std::move(waiting)) co_return std::move(*known);
  auto executor = co_await asio::this_coro::executor;
  running_[key] = std::make_shared<Running>(
      asio::steady_timer(executor, asio::steady_timer::time_point::max()), hash);

  auto creating = bucket_.create(key, record_of(request, epoch).SerializeAsString());
  const auto created = co_await std::move(creating);
  if (created.has_value()) {
    Reserved reserved;
    reserved.key = key;
    reserved.revision = *created;
    co_return Begun(std::move(reserved));
  }
  settle(key, std::nullopt);
  wire::Failure failure;
  failure.why = Errc::bus_unavailable;
  failure.detail = "the request_id could not be written down, so nothing was sent";
  if (created.error() == Errc::key_exists) {
    auto reading = read(key, hash);
    if (auto known = co_await std::move(reading)) co_return std::move(*known);
    failure.detail = "what became of the request_id could not be read; nothing was sent now";
  }
  co_return Begun(std::move(failure));
}

asio::awaitable<std::optional<RequestLog::Begun>> RequestLog::find(OwnerRequest request) {
  const std::string key = key_of(request);
  const std::string hash = hash_of(request);
  auto waiting = await_running(key, hash);
  if (auto known = co_await std::move(waiting)) co_return known;
  auto reading = read(key, hash);
  co_return co_await std::move(reading);
}

// Whoever carries it out right now, on this very thread, knows best. Nothing: nobody does, and
// nobody has begun to when this returns.
asio::awaitable<std::optional<RequestLog::Begun>> RequestLog::await_running(
    const std::string& key, const std::string& hash) {
  for (auto found = running_.find(key); found != running_.end(); found = running_.find(key)) {
    const auto running = found->second;
    if (running->hash != hash) co_return std::optional<Begun>(reused());
    while (!running->ended) co_await running->done.async_wait(kTuple);
    if (running->reply) co_return std::optional<Begun>(*running->reply);
  }
  co_return std::nullopt;
}

// What the bucket says. Nothing: not this id, or nothing that can be read.
asio::awaitable<std::optional<RequestLog::Begun>> RequestLog::read(const std::string& key,
                                                                   const std::string& hash) {
  auto getting = bucket_.get(key);
  const auto entry = co_await std::move(getting);
  RequestRecord record;
  if (entry.has_error() || !record.ParseFromString(entry->value)) co_return std::nullopt;
  if (record.request_hash() != hash) co_return std::optional<Begun>(reused());
  if (record.has_reply()) co_return std::optional<Begun>(record.reply());
  wire::Failure failure;
  failure.why = Errc::outcome_unknown;
  failure.detail = "the connector that took this request_id before was lost before it could answer";
  co_return std::optional<Begun>(std::move(failure));
}

asio::awaitable<void> RequestLog::finish(Reserved reserved, OwnerRequest request,
                                         std::uint64_t epoch, OwnerReply reply) {
  RequestRecord record = record_of(request, epoch);
  wire::clear_sensitive(reply);
  *record.mutable_reply() = reply;
  // If this fails, a retry after us hears outcome_unknown: the truth, as far as the log knows it.
  auto updating = bucket_.update(reserved.key, record.SerializeAsString(), reserved.revision);
  co_await std::move(updating);
  settle(reserved.key, std::move(reply));
}

asio::awaitable<void> RequestLog::forget(Reserved reserved) {
  auto erasing = bucket_.erase(reserved.key, reserved.revision);
  co_await std::move(erasing);
  settle(reserved.key, std::nullopt);
}

void RequestLog::settle(const std::string& key, std::optional<OwnerReply> reply) {
  auto found = running_.extract(key);
  if (found.empty()) return;
  found.mapped()->reply = std::move(reply);
  found.mapped()->ended = true;
  found.mapped()->done.cancel();
}

}  // namespace connector
