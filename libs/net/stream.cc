#include "net/stream.h"

#include <cerrno>
#include <optional>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls_session.h"

namespace net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// What OpenSSL reads and writes. Its own socket BIO calls write(), and a peer that has gone would
// then kill the process with SIGPIPE.
struct Wire {
  int fd = -1;           // -1 once closed: the number may be somebody else's by then
  int system_error = 0;  // of the last failed call
};

int finish_io(BIO* bio, ssize_t size, int retry_flag) {
  auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
  wire.system_error = size < 0 ? errno : 0;
  BIO_clear_retry_flags(bio);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
  }
  if (size == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(size);
}

int bio_write(BIO* bio, const char* data, int size) {
  const int fd = static_cast<Wire*>(BIO_get_data(bio))->fd;
  return finish_io(bio, ::send(fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL),
                   BIO_FLAGS_WRITE);
}

int bio_read(BIO* bio, char* data, int size) {
  const int fd = static_cast<Wire*>(BIO_get_data(bio))->fd;
  return finish_io(bio, ::recv(fd, data, static_cast<std::size_t>(size), 0), BIO_FLAGS_READ);
}

long bio_control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    default: return 0;
  }
}

BIO* make_bio(Wire& wire) {
  static const BIO_METHOD* const method = [] {
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pbxgw socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  BIO* bio = BIO_new(method);
  if (!bio) throw std::bad_alloc();
  BIO_set_data(bio, &wire);
  BIO_set_init(bio, 1);
  return bio;
}

bool is_unexpected_eof(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_SSL &&
         ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

}  // namespace

class Stream::Core {
 public:
  explicit Core(tcp::socket its_socket) : socket(std::move(its_socket)) {}
  ~Core() { close(); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void close() {
    wire.fd = -1;
    base::Error ignored;
    socket.close(ignored);
    if (silent_socket >= 0) ::close(std::exchange(silent_socket, -1));
  }

  void reset() {
    const linger at_once{1, 0};
    const int fd = silent_socket >= 0 ? silent_socket
                   : socket.is_open() ? socket.native_handle()
                                      : -1;
    if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

  // After a call of OpenSSL's that did not return success.
  Step step_after(int result) {
    switch (SSL_get_error(tls->ssl(), result)) {
      case SSL_ERROR_WANT_READ: return {Next::wait_read};
      case SSL_ERROR_WANT_WRITE: return {Next::wait_write};
      case SSL_ERROR_ZERO_RETURN: return {Next::done, asio::error::eof};
      case SSL_ERROR_SYSCALL:
        if (wire.system_error == 0) return {Next::done, asio::error::eof};
        return {Next::done, base::Error(wire.system_error, boost::system::system_category())};
      default:
        if (is_unexpected_eof(ERR_peek_error())) return {Next::done, asio::error::eof};
        return {Next::done, tls->failure()};
    }
  }

  tcp::socket socket;
  Wire wire;
  std::optional<TlsSession> tls;
  std::string why;
  int silent_socket = -1;  // keeps a connection open that is closed for us
};

Stream::Stream(tcp::socket socket) : core_(std::make_shared<Core>(std::move(socket))) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}
Stream::~Stream() {
  if (core_) core_->close();
}

asio::any_io_executor Stream::get_executor() const { return core_->socket.get_executor(); }
tcp::socket& Stream::socket() { return core_->socket; }
tcp::socket& Stream::socket_of(Core& core) { return core.socket; }

void Stream::move_to(const asio::any_io_executor& executor) {
  auto& socket = core_->socket;
  base::Error error;
  const auto protocol = socket.local_endpoint(error).protocol();
  tcp::socket moved(executor);
  const int fd = error ? -1 : socket.release(error);
  if (fd >= 0 && !error) moved.assign(protocol, fd, error);
  if (fd >= 0 && error) ::close(fd);
  core_->close();  // if it could not be released
  if (!error && core_->tls) {
    moved.native_non_blocking(true);
    core_->wire.fd = fd;
  }
  socket = std::move(moved);
}

bool Stream::has_tls() const { return core_->tls.has_value(); }

void Stream::start_tls(std::shared_ptr<TlsContext> context, const std::string& host,
                       const std::string& port) {
  core_->socket.native_non_blocking(true);
  core_->wire.fd = core_->socket.native_handle();
  core_->tls.emplace(std::move(context), host, port);
  BIO* bio = make_bio(core_->wire);
  SSL_set_bio(core_->tls->ssl(), bio, bio);
}

std::string Stream::why() const {
  if (!core_->why.empty()) return core_->why;
  return core_->tls ? core_->tls->why() : "";
}

// OpenSSL's error queue belongs to the thread, so it is emptied before each call, and read right
// after it.

Stream::Step Stream::handshake(Core& core) {
  if (!core.socket.is_open()) return {Next::done, asio::error::operation_aborted};
  ERR_clear_error();
  const int result = SSL_do_handshake(core.tls->ssl());
  if (result == 1) {
    core.tls->count();
    return {};
  }
  Step step = core.step_after(result);
  if (step.error) core.tls->forget();
  if (step.error && step.error.category() != base::category()) {
    core.why = step.error == asio::error::eof ? "the connection ended during the TLS handshake"
                                              : "TLS handshake: " + step.error.message();
    step.error = base::Errc::tls_failed;
  }
  return step;
}

// As many records as fit: a peer that sends many small messages puts each into its own.
Stream::Step Stream::read(Core& core, asio::mutable_buffer buffer) {
  Step step;
  for (;;) {
    std::size_t size = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(core.tls->ssl(), buffer.data(), buffer.size(), &size);
    if (result != 1) {
      // What ended the stream ends the next read as well, after this one has had its bytes.
      return step.size > 0 ? step : core.step_after(result);
    }
    step.size += size;
    buffer += size;
    if (buffer.size() == 0 || !SSL_has_pending(core.tls->ssl())) return step;
  }
}

Stream::Step Stream::write(Core& core, asio::const_buffer buffer) {
  Step step;
  ERR_clear_error();
  const int result = SSL_write_ex(core.tls->ssl(), buffer.data(), buffer.size(), &step.size);
  if (result == 1) return step;
  step = core.step_after(result);
  if (step.error && step.error.category() != base::category()) {
    // A server that refused our certificate has said so before it hung up, in an alert that is
    // still to be read.
    ERR_clear_error();
    char ignored = 0;
    const int read = SSL_read(core.tls->ssl(), &ignored, 1);
    const auto alert = core.step_after(read);
    if (read <= 0 && alert.error.category() == base::category()) return alert;
  }
  return step;
}

void Stream::finish() {
  if (core_->socket.is_open()) {
    if (core_->tls && SSL_is_init_finished(core_->tls->ssl())) {
      ERR_clear_error();
      SSL_shutdown(core_->tls->ssl());
    }
    base::Error ignored;
    core_->socket.shutdown(tcp::socket::shutdown_both, ignored);
  }
  core_->close();
}

void Stream::reset() { core_->reset(); }

void Stream::go_silent() {
  if (!core_->socket.is_open()) return;
  const int kept = ::fcntl(core_->socket.native_handle(), F_DUPFD_CLOEXEC, 0);
  core_->close();
  core_->silent_socket = kept;
}

Stream::Handle Stream::handle() const {
  Handle handle;
  handle.core_ = core_;
  handle.executor_ = core_->socket.get_executor();
  return handle;
}

void Stream::Handle::reset() const {
  asio::dispatch(executor_, [weak = core_, executor = executor_] {
    const auto core = weak.lock();
    if (!core) return;
    // It moves only while on its first executor, where we are: so this is its place for good.
    const auto its = core->socket.get_executor();
    if (its == executor) return core->reset();
    asio::dispatch(its, [weak] {
      if (const auto moved = weak.lock()) moved->reset();
    });
  });
}

void teardown(boost::beast::role_type, Stream& stream, base::Error& error) {
  stream.finish();
  error = {};
}

void beast_close_socket(Stream& stream) { stream.finish(); }

}  // namespace net
