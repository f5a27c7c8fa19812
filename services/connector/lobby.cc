#include "connector/lobby.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace connector {

namespace asio = boost::asio;
using base::Errc;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kLookAgain{250};  // whether somebody who waits is still there

}  // namespace

struct Lobby::Guest {
  Guest(const asio::any_io_executor& executor, std::shared_ptr<Arrived> it)
      : arrived(std::move(it)), timer(executor) {}

  bool has_hung_up() const { return arrived->socket.has_hung_up(); }

  void settle(base::Error how) {
    result = how;
    timer.cancel();
  }

  std::shared_ptr<Arrived> arrived;
  std::optional<base::Error> result;
  asio::steady_timer timer;
};

Lobby::Lobby(asio::any_io_executor executor) : executor_(std::move(executor)) {}

asio::awaitable<base::Error> Lobby::wait(base::TenantId tenant, std::shared_ptr<Arrived> arrived,
                                         std::chrono::milliseconds limit) {
  if (closed_) co_return Errc::shutting_down;
  if (const auto host = hosts_.find(tenant); host != hosts_.end() && host->second(*arrived)) {
    co_return base::Error{};
  }
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto end = now() + limit;
  const auto guest = std::make_shared<Guest>(executor_, std::move(arrived));
  guests_[tenant].push_back(guest);
  tell(tenant);
  // Nobody reads from it, so nothing tells when it goes; and while it waits, the tenant's lease is
  // asked for on its behalf, maybe away from where its PBX has dialled anew.
  while (!guest->result && !guest->has_hung_up() && now() < end) {
    guest->timer.expires_at(std::min(end, now() + kLookAgain));
    co_await guest->timer.async_wait(kTuple);
  }
  if (guest->result) co_return *guest->result;
  guests_[tenant].remove(guest);
  tell(tenant);
  if (guests_[tenant].empty()) guests_.erase(tenant);
  co_return guest->has_hung_up() ? Errc::link_lost : Errc::timed_out;
}

void Lobby::serve(const base::TenantId& tenant, Take take) {
  const Take& host = hosts_[tenant] = std::move(take);
  const auto found = guests_.find(tenant);
  if (found == guests_.end()) return;
  std::erase_if(found->second, [&](const std::shared_ptr<Guest>& guest) {
    if (guest->has_hung_up() || !host(*guest->arrived)) return false;
    guest->settle({});
    return true;
  });
  tell(tenant);
  if (found->second.empty()) guests_.erase(found);
}

void Lobby::leave(const base::TenantId& tenant) { hosts_.erase(tenant); }

void Lobby::close() {
  closed_ = true;
  for (auto& [tenant, guests] : std::exchange(guests_, {})) {
    for (const auto& guest : guests) guest->settle(Errc::shutting_down);
    tell(tenant);
  }
}

void Lobby::tell(const base::TenantId& tenant) const {
  if (!changed_) return;
  std::set<std::string> pbxs;
  if (const auto found = guests_.find(tenant); found != guests_.end()) {
    for (const auto& guest : found->second) pbxs.insert(guest->arrived->arrival.pbx);
  }
  changed_(tenant, std::move(pbxs));
}

}  // namespace connector
