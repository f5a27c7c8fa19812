#include "fixture.h"

#include <array>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "support/patience.h"

namespace net::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

std::string accept_key(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return std::string(reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size));
}

}  // namespace

Authority& authority() {
  static Authority instance("Test Authority");
  return instance;
}

std::shared_ptr<TlsContext> context(const TlsOptions& options, TlsContext::Role role) {
  std::string why;
  auto made = TlsContext::make(options, role, why);
  EXPECT_TRUE(made) << why;
  return *made;
}

std::shared_ptr<TlsContext> client_context() {
  TlsOptions options;
  options.ca_file = authority().ca_file();
  return context(options, TlsContext::Role::client);
}

std::shared_ptr<TlsContext> server_context() {
  static const Certificate certificate = authority().issue({});
  TlsOptions options;
  options.certificate_file = certificate.certificate_file;
  options.key_file = certificate.key_file;
  return context(options, TlsContext::Role::server);
}

asio::awaitable<void> echo(HttpRequest, WebSocket socket) {
  for (;;) {
    const auto text = co_await socket.read();
    if (!text) co_return;
    if (co_await socket.write(*text)) co_return;
  }
}

NetTest::NetTest() : serve(echo) {
  answer = [](const HttpRequest& request) -> asio::awaitable<HttpServer::Answer> {
    if (request.upgrade && request.path() == "/ws") co_return HttpServer::Accept{};
    HttpReply reply;
    reply.status = 404;
    co_return reply;
  };
}
NetTest::~NetTest() = default;

void NetTest::start() {
  server = std::make_unique<HttpServer>(std::vector<asio::any_io_executor>{io.get_executor()},
                                        server_options, answer, serve);
}

void NetTest::run(asio::awaitable<void> dialogue) {
  asio::co_spawn(io, std::move(dialogue), [this](std::exception_ptr thrown) {
    server.reset();
    if (thrown) std::rethrow_exception(thrown);
  });
  EXPECT_NO_THROW(io.run_for(support::kPatience));
  EXPECT_TRUE(io.stopped()) << "something still waits";
}

Endpoint NetTest::endpoint() const {
  Endpoint where;
  where.host = "127.0.0.1";
  where.port = std::to_string(server->port());
  where.target = "/ws";
  where.tls = tls != nullptr;
  return where;
}

asio::awaitable<base::Result<WebSocket>> NetTest::connect() {
  return WebSocket::connect(endpoint(), limits, tls, &detail);
}

RawPeer::RawPeer(asio::io_context& io)
    : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), socket_(io) {}

Endpoint RawPeer::endpoint() const {
  Endpoint where;
  where.host = "127.0.0.1";
  where.port = std::to_string(acceptor_.local_endpoint().port());
  return where;
}

asio::awaitable<void> RawPeer::accept() {
  co_await acceptor_.async_accept(socket_, asio::use_awaitable);
}

asio::awaitable<void> RawPeer::accept_upgrade() {
  co_await accept();
  const auto end = co_await asio::async_read_until(socket_, asio::dynamic_buffer(heard_),
                                                   "\r\n\r\n", asio::use_awaitable);
  const std::string name = "Sec-WebSocket-Key: ";
  const auto from = heard_.find(name) + name.size();
  const auto key = heard_.substr(from, heard_.find('\r', from) - from);
  heard_.erase(0, end);
  co_await say(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_key(key) + "\r\n\r\n");
}

asio::awaitable<void> RawPeer::say(std::string bytes) {
  co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
}

asio::awaitable<std::string> RawPeer::hear(std::size_t bytes) {
  if (heard_.size() < bytes) {
    co_await asio::async_read(socket_, asio::dynamic_buffer(heard_, bytes),
                              asio::transfer_exactly(bytes - heard_.size()), kTuple);
  }
  auto taken = heard_.substr(0, bytes);
  heard_.erase(0, taken.size());
  co_return taken;
}

asio::awaitable<void> RawPeer::hear_until(std::string text) {
  const auto [error, end] =
      co_await asio::async_read_until(socket_, asio::dynamic_buffer(heard_), text, kTuple);
  heard_.erase(0, end);
}

void RawPeer::hang_up() { socket_.close(); }

void RawPeer::stop() {
  acceptor_.close();
  hang_up();
}

}  // namespace net::testing
