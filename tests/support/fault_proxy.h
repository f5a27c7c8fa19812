#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace support {

// A TCP proxy on the loopback address that can do to connections what networks do. Runs in a thread
// of its own; all members may be called from any other thread, and take effect before they return.
class FaultProxy {
 public:
  enum class Flow {
    pass,
    pause,  // does not read: the sender's buffers fill up
    drop,   // reads and discards. Only sensible until reset(): what follows is not what was sent
  };

  explicit FaultProxy(std::uint16_t target);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  std::uint16_t port() const { return port_; }

  // Of the connections there are, and of those to come.
  void set_flow_to_target(Flow flow);
  void set_flow_to_client(Flow flow);
  // Ends all connections with a TCP reset.
  void reset();
  // Resets connections to come as soon as they are made, or not.
  void refuse(bool refused);

 private:
  struct Link;
  void accept();
  template <class Change>
  void change(Change change);

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::endpoint target_;
  std::uint16_t port_;
  Flow to_target_ = Flow::pass, to_client_ = Flow::pass;
  bool refused_ = false;
  std::list<std::shared_ptr<Link>> links_;
  std::thread thread_;
};

}  // namespace support
