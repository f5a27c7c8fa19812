#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "net/endpoint.h"
#include "net/http.h"
#include "net/tls.h"

namespace net {

struct HttpClientLimits : DialLimits {
  std::size_t header_bytes_max = 16 << 10;
  std::size_t body_bytes_max = 4 << 20;
  // Connections that are kept for the next request, and for how long: a PBX's web server has few
  // to give.
  std::size_t idle_max = 2;
  std::chrono::milliseconds idle{10'000};
};

// HTTP/1.1 requests to PBXs, over connections that are kept for a while. Belongs to one executor,
// where all members are called. Destroyed, it closes what is idle; requests under way go on.
class HttpClient {
 public:
  // `tls` is needed for endpoints with TLS.
  HttpClient(boost::asio::any_io_executor executor, HttpClientLimits limits,
             std::shared_ptr<TlsContext> tls);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // One request and its reply, whatever its status, within `limit`. Redirects are not followed.
  // `endpoint.headers` are sent; Host and Content-Length we add. Any number at once.
  //
  // Errors: as dial() has them (resolve_failed, connect_failed, tls_failed, certificate_…): nothing
  // was sent. After that: timed_out, link_lost (no reply, or half of one), bad_frame (not HTTP),
  // message_too_big; operation_aborted if cancelled. Then the request may have been carried out. A
  // kept connection that turns out to be closed is tried once more with a new one, if nothing was
  // heard on it and the method (GET, HEAD, PUT, DELETE) may be repeated. `detail`, which has to
  // live as long, gets a sentence about the failure, without the request's headers or body.
  boost::asio::awaitable<base::Result<HttpReply>> send(std::string method, Endpoint endpoint,
                                                       std::string body,
                                                       std::chrono::milliseconds limit,
                                                       std::string* detail = nullptr);
  std::size_t idle() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace net
