#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "net/endpoint.h"
#include "net/tls.h"

namespace net {

struct HttpDownloadLimits : DialLimits {
  std::size_t header_bytes_max = 16 << 10;
  std::uint64_t body_bytes_max = 256u << 20;
  std::chrono::milliseconds step{10'000};    // for the reply's header, and for each read()
  std::chrono::milliseconds total{600'000};  // from open() to the last byte
};

// The reply to one GET, whose body is read piece by piece: nothing is taken from the server that
// nobody asked for, so TCP slows it down to the pace of whoever reads. It has a connection of its
// own, which is closed when this is destroyed. Belongs to one executor, where all members are
// called.
class HttpDownload {
 public:
  // Sends the request and reads the reply's header, whatever its status. The errors are those of
  // HttpClient::send(); a Content-Length over the limit is message_too_big here already. `tls` is
  // needed for endpoints with TLS; `detail`, which has to live as long, gets a sentence.
  static boost::asio::awaitable<base::Result<HttpDownload>> open(
      boost::asio::any_io_executor executor, Endpoint endpoint, HttpDownloadLimits limits,
      std::shared_ptr<TlsContext> tls, std::string* detail = nullptr);
  HttpDownload(HttpDownload&&) noexcept;
  HttpDownload& operator=(HttpDownload&&) noexcept;
  ~HttpDownload();

  unsigned status() const;
  // The first of this name, which is in lower case; empty if there is none.
  std::string header(std::string_view name) const;
  std::optional<std::uint64_t> size() const;  // by Content-Length

  // The next bytes, at least one and at most `most`; empty: there are no more. Errors: link_lost
  // (the body ended too soon), message_too_big, timed_out, bad_frame; operation_aborted after
  // abort(). After one of them nothing follows. One at a time.
  boost::asio::awaitable<base::Result<std::string>> read(std::size_t most);
  // Everything was read.
  bool done() const;
  // Ends a read() that waits.
  void abort();
  // About the failure of read(): a sentence.
  const std::string& why() const;

 private:
  struct Impl;
  explicit HttpDownload(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace net
