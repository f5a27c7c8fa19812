#include "net/http_download.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "net/deadline.h"
#include "net/dial.h"
#include "net/http_parts.h"
#include "net/stream.h"

namespace net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct HttpDownload::Impl {
  Impl(asio::any_io_executor its_executor, HttpDownloadLimits its_limits, Endpoint its_endpoint,
       std::shared_ptr<TlsContext> its_tls)
      : executor(std::move(its_executor)),
        limits(its_limits),
        endpoint(std::move(its_endpoint)),
        tls(std::move(its_tls)),
        what(words_of("GET", endpoint)),
        end(steady_clock::now() + limits.total),
        stream(tcp::socket(executor)) {
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser.body_limit(limits.body_bytes_max);
    buffer.reserve(kReadBytes);
  }

  // Of the step that begins now.
  steady_clock::time_point limit() const {
    return std::min(steady_clock::now() + limits.step, end);
  }

  base::Error failure(const base::Error& error, bool late) {
    if (late) {
      why = what + ": nothing came in time";
      return base::Errc::timed_out;
    }
    const base::Error meaning = meaning_of(error);
    why = what + ": " + (stream.why().empty() ? error.message() : stream.why());
    return meaning;
  }

  asio::awaitable<base::Error> begin() {
    DialLimits dialling_limits = limits;
    tcp::endpoint peer;
    auto dialling = dial(stream, endpoint, dialling_limits, tls, peer, why);
    if (const base::Error error = co_await std::move(dialling)) co_return error;

    Deadline deadline(executor, stream.handle());
    deadline.set(limit());
    const auto request = request_of("GET", endpoint, {}, false);
    auto [error, size] = co_await http::async_write(stream, request, kTuple);
    if (!error) {
      const auto [problem, read] = co_await http::async_read_header(stream, buffer, parser, kTuple);
      error = problem;
    }
    deadline.clear();
    if (error || deadline.passed()) co_return failure(error, deadline.passed());
    co_return base::Error();
  }

  const asio::any_io_executor executor;
  const HttpDownloadLimits limits;
  const Endpoint endpoint;
  const std::shared_ptr<TlsContext> tls;
  const std::string what;
  const steady_clock::time_point end;
  std::string why;
  Stream stream;
  boost::beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  base::Error failed{};
};

HttpDownload::HttpDownload(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpDownload::HttpDownload(HttpDownload&&) noexcept = default;
HttpDownload& HttpDownload::operator=(HttpDownload&&) noexcept = default;
HttpDownload::~HttpDownload() = default;

asio::awaitable<base::Result<HttpDownload>> HttpDownload::open(asio::any_io_executor executor,
                                                               Endpoint endpoint,
                                                               HttpDownloadLimits limits,
                                                               std::shared_ptr<TlsContext> tls,
                                                               std::string* detail) {
  auto impl =
      std::make_unique<Impl>(std::move(executor), limits, std::move(endpoint), std::move(tls));
  auto beginning = impl->begin();
  if (const base::Error error = co_await std::move(beginning)) {
    if (detail) *detail = impl->why;
    co_return error;
  }
  co_return HttpDownload(std::move(impl));
}

unsigned HttpDownload::status() const { return impl_->parser.get().result_int(); }

std::string HttpDownload::header(std::string_view name) const {
  return std::string(impl_->parser.get()[boost::beast::string_view(name.data(), name.size())]);
}

std::optional<std::uint64_t> HttpDownload::size() const {
  const auto length = impl_->parser.content_length();
  if (!length) return std::nullopt;
  return *length;
}

asio::awaitable<base::Result<std::string>> HttpDownload::read(std::size_t most) {
  Impl& self = *impl_;
  if (self.failed) co_return self.failed;
  std::string bytes;
  Deadline deadline(self.executor, self.stream.handle());
  deadline.set(self.limit());
  while (bytes.empty() && !self.parser.is_done()) {
    bytes.resize(most);
    self.parser.get().body().data = bytes.data();
    self.parser.get().body().size = bytes.size();
    self.parser.get().body().more = true;
    auto [error, size] =
        co_await http::async_read_some(self.stream, self.buffer, self.parser, kTuple);
    bytes.resize(most - self.parser.get().body().size);
    // What it says when there is no room left: more follows.
    if (error == http::error::need_buffer) error = {};
    if (error || deadline.passed()) {
      self.failed = self.failure(error, deadline.passed());
      co_return self.failed;
    }
  }
  deadline.clear();
  co_return bytes;
}

bool HttpDownload::done() const { return impl_->parser.is_done(); }

void HttpDownload::abort() { impl_->stream.reset(); }

const std::string& HttpDownload::why() const { return impl_->why; }

}  // namespace net
