#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/types.h>

namespace support {

// A nats-server process of our own, on the loopback address, with its store in a temporary folder.
// Dies with the thread that started it. Throws std::runtime_error, with the server's log, when
// something is not as it should be.
class NatsServer {
 public:
  struct Options {
    bool jetstream = true;
    std::string config{};       // further lines for the configuration file: authorization, tls, …
    std::string credentials{};  // "user:password@" or "token@", for url()
    bool start = true;
  };

  NatsServer() : NatsServer(Options{}) {}
  explicit NatsServer(Options options);
  ~NatsServer();
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  std::string url() const;
  std::uint16_t port() const { return port_; }
  const std::filesystem::path& folder() const { return folder_; }
  // What the server has logged.
  std::string log() const;

  // Each returns when the new state has been reached. The port and the store stay the same.
  void start();    // until it greets clients
  void stop();     // SIGTERM, as in a rolling update
  void kill();     // SIGKILL
  void restart();  // stop() and start()
  void reload();   // SIGHUP: with another set_config(), without a restart
  // A server that hangs, but whose connections are up (SIGSTOP, SIGCONT).
  void suspend();
  void resume();
  // Takes effect with the next start() or reload().
  void set_config(std::string config) { options_.config = std::move(config); }

 private:
  bool launch();
  void end(int signal);
  void write_config() const;

  Options options_;
  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace support
