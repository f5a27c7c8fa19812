#include "support/nats_server.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace support {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kDeadline = 20s;
constexpr auto kPoll = 2ms;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Below the range from which the kernel takes ports for outgoing connections: a client that tries
// to reconnect to a stopped server could otherwise connect to itself.
std::uint16_t free_port() {
  std::random_device random;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(10'000 + random() % 20'000);
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    const bool is_free =
        ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ::close(probe);
    if (is_free) return port;
  }
}

// A server that is ready says "INFO" first. JetStream has recovered its streams by then.
bool greets(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  bool greeted = false;
  if (::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    pollfd readable{.fd = probe, .events = POLLIN, .revents = 0};
    char text[5] = {};
    greeted = ::poll(&readable, 1, 1'000) == 1 && ::recv(probe, text, 4, MSG_WAITALL) == 4 &&
              std::string_view(text) == "INFO";
  }
  ::close(probe);
  return greeted;
}

std::filesystem::path make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "pbxgw-nats-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

}  // namespace

NatsServer::NatsServer(Options options) : options_(std::move(options)), folder_(make_folder()) {
  port_ = free_port();
  if (!options_.start) return;
  // Somebody may have taken the port since we looked.
  for (int attempt = 0; attempt < 5; ++attempt, port_ = free_port()) {
    if (launch()) return;
  }
  throw std::runtime_error("nats-server does not start:\n" + log());
}

NatsServer::~NatsServer() {
  if (process_ > 0) ::kill(process_, SIGCONT);
  end(SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string NatsServer::url() const {
  return "nats://" + options_.credentials + "127.0.0.1:" + std::to_string(port_);
}

std::string NatsServer::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "log").rdbuf();
  return text.str();
}

void NatsServer::start() {
  if (process_ > 0) return;
  if (!launch()) throw std::runtime_error("nats-server does not start:\n" + log());
}

void NatsServer::stop() { end(SIGTERM); }
void NatsServer::kill() { end(SIGKILL); }

void NatsServer::restart() {
  stop();
  start();
}

void NatsServer::reload() {
  constexpr std::string_view kDone = "Reloaded server configuration";
  const auto seen = log().size();
  write_config();
  ::kill(process_, SIGHUP);
  for (const auto end_time = Clock::now() + kDeadline; Clock::now() < end_time;) {
    if (log().find(kDone, seen) != std::string::npos) return;
    std::this_thread::sleep_for(kPoll);
  }
  throw std::runtime_error("nats-server does not reload:\n" + log());
}

void NatsServer::suspend() { ::kill(process_, SIGSTOP); }
void NatsServer::resume() { ::kill(process_, SIGCONT); }

void NatsServer::write_config() const {
  std::ofstream file(folder_ / "nats.conf");
  file << "listen: \"127.0.0.1:" << port_ << "\"\n";
  file << "server_name: \"test-" << port_ << "\"\n";
  if (options_.jetstream) {
    file << "jetstream { store_dir: " << folder_ / "store"
         << ", max_mem: 256M, max_file: 1G }\n";
  }
  file << options_.config << "\n";
}

bool NatsServer::launch() {
  write_config();
  const std::string config = folder_ / "nats.conf", log_file = folder_ / "log";
  process_ = ::fork();
  if (process_ < 0) throw std::runtime_error("cannot fork");
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execlp("nats-server", "nats-server", "-c", config.c_str(), nullptr);
    ::_exit(127);
  }
  for (const auto end_time = Clock::now() + kDeadline; Clock::now() < end_time;) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return false;
    }
    if (greets(port_)) return true;
    std::this_thread::sleep_for(kPoll);
  }
  end(SIGKILL);
  return false;
}

void NatsServer::end(int signal) {
  if (process_ <= 0) return;
  ::kill(process_, signal);
  for (const auto end_time = Clock::now() + kDeadline; Clock::now() < end_time;) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return;
    }
    std::this_thread::sleep_for(kPoll);
  }
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

}  // namespace support
