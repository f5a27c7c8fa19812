#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/ids.h"
#include "base/result.h"
#include "bus/kv.h"
#include "pbxgw/v1/command.pb.h"
#include "wire/status.h"

namespace connector {

// Makes commands with a request_id happen once (AIP-155), over restarts and takeovers: each id is
// written down in a KV bucket before anything is sent, and its reply beside it afterwards. The
// bucket forgets after 24 hours. One for each I/O thread, used there only.
class RequestLog {
 public:
  explicit RequestLog(bus::KvBucket& bucket) : bucket_(bucket) {}

  // Carry it out, then finish().
  struct Reserved {
    std::string key;
    std::uint64_t revision = 0;
  };
  using Begun = std::variant<Reserved, pbxgw::v1::OwnerReply, wire::Failure>;

  // Reserves the request's id; or the reply it got before, awaiting it if it is being carried out
  // here; or a failure: the id was used for something else, what became of it is not known, or it
  // could not be written down.
  boost::asio::awaitable<Begun> begin(pbxgw::v1::OwnerRequest request, std::uint64_t epoch);
  // What begin() would tell of an id that was used before, without reserving one: nothing if it was
  // not, or if that cannot be found out.
  boost::asio::awaitable<std::optional<Begun>> find(pbxgw::v1::OwnerRequest request);
  // Keeps the reply without anything sensitive: whoever asks again gets it so, and one who asks
  // while it is being carried out does too.
  boost::asio::awaitable<void> finish(Reserved reserved, pbxgw::v1::OwnerRequest request,
                                      std::uint64_t epoch, pbxgw::v1::OwnerReply reply);
  // Nothing was sent: the id may be used again.
  boost::asio::awaitable<void> forget(Reserved reserved);

 private:
  // A request between begin() and the end of finish() or forget().
  struct Running {
    Running(boost::asio::steady_timer timer, std::string of)
        : done(std::move(timer)), hash(std::move(of)) {}
    boost::asio::steady_timer done;  // cancelled at its end
    std::string hash;
    bool ended = false;
    std::optional<pbxgw::v1::OwnerReply> reply;
  };
  boost::asio::awaitable<std::optional<Begun>> await_running(const std::string& key,
                                                             const std::string& hash);
  boost::asio::awaitable<std::optional<Begun>> read(const std::string& key,
                                                    const std::string& hash);
  void settle(const std::string& key, std::optional<pbxgw::v1::OwnerReply> reply);

  bus::KvBucket& bucket_;
  std::map<std::string, std::shared_ptr<Running>> running_;
};

// SHA-256 of what the request asks for: without its request_id, deadline and trace, and without
// anything sensitive, which could be guessed from it.
std::string hash_of(const pbxgw::v1::OwnerRequest& request);

}  // namespace connector
