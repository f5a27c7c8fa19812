#include "support/fault_proxy.h"

#include <array>
#include <future>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace support {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

void abort(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace

struct FaultProxy::Link : std::enable_shared_from_this<Link> {
  struct Direction {
    std::array<char, 16384> buffer;
    std::size_t held = 0;  // read, but not written yet
    bool busy = false;     // reading or writing
  };

  FaultProxy& proxy;
  tcp::socket client, target;
  Direction to_target{}, to_client{};

  Link(FaultProxy& owner, tcp::socket from)
      : proxy(owner), client(std::move(from)), target(owner.io_) {}

  void start() {
    boost::system::error_code error;
    target.connect(proxy.target_, error);
    if (error) return abort(client);
    client.set_option(tcp::no_delay(true), error);
    target.set_option(tcp::no_delay(true), error);
    read_on();
  }

  void read_on() {
    if (!client.is_open() || !target.is_open()) return;
    pump(client, target, to_target, proxy.to_target_);
    pump(target, client, to_client, proxy.to_client_);
  }

  // `flow` is the proxy's own, so that a change is seen at the next step, also by what a read that
  // was begun before brings.
  void pump(tcp::socket& from, tcp::socket& to, Direction& direction, const Flow& flow) {
    if (direction.busy || flow == Flow::pause) return;
    direction.busy = true;
    const auto next = [&, self = shared_from_this()](auto error, std::size_t size) {
      if (error) return end();
      direction.busy = false;
      direction.held = direction.held > 0 ? 0 : size;
      pump(from, to, direction, flow);
    };
    if (flow == Flow::drop) direction.held = 0;
    if (direction.held > 0) {
      asio::async_write(to, asio::buffer(direction.buffer, direction.held), next);
    } else {
      from.async_read_some(asio::buffer(direction.buffer), next);
    }
  }

  void end() {
    abort(client);
    abort(target);
  }
};

FaultProxy::FaultProxy(std::uint16_t target)
    : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      target_(asio::ip::address_v4::loopback(), target),
      port_(acceptor_.local_endpoint().port()) {
  accept();
  thread_ = std::thread([this] { io_.run(); });
}

FaultProxy::~FaultProxy() {
  io_.stop();
  thread_.join();
}

void FaultProxy::accept() {
  acceptor_.async_accept([this](auto error, tcp::socket socket) {
    if (error) return;
    if (refused_) {
      abort(socket);
    } else {
      links_.push_back(std::make_shared<Link>(*this, std::move(socket)));
      links_.back()->start();
    }
    accept();
  });
}

template <class Change>
void FaultProxy::change(Change change) {
  std::promise<void> done;
  asio::post(io_, [&] {
    change();
    for (const auto& link : links_) link->read_on();
    done.set_value();
  });
  done.get_future().wait();
}

void FaultProxy::set_flow_to_target(Flow flow) {
  change([&] { to_target_ = flow; });
}

void FaultProxy::set_flow_to_client(Flow flow) {
  change([&] { to_client_ = flow; });
}

void FaultProxy::reset() {
  change([&] {
    for (const auto& link : links_) link->end();
    links_.clear();
  });
}

void FaultProxy::refuse(bool refused) {
  change([&] { refused_ = refused; });
}

}  // namespace support
