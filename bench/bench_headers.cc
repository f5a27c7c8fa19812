// What a CloudEvent costs to publish, in structured mode (two headers) and in binary mode (six, and
// a smaller payload): the figures behind docs/adr/0003. CPU of this thread only; nobody listens.
#include <array>
#include <cstdio>
#include <iostream>
#include <span>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <nats/nats.h>
#include <time.h>

namespace {

constexpr int kCount = 200'000;
constexpr std::size_t kEventBytes = 450;     // the event itself
constexpr std::size_t kEnvelopeBytes = 330;  // what structured mode adds to it

using Header = std::pair<const char*, const char*>;
constexpr std::array<Header, 6> kHeaders{{
    {"Nats-Msg-Id", "acme.1234.567890"},
    {"content-type", "application/protobuf"},
    {"ce-source", "//pbxgw.local/pbx/tenants/acme"},
    {"ce-type", "dev.pbxgw.call.v1.established"},
    {"ce-time", "2026-01-02T03:04:05.678901Z"},
    {"ce-specversion", "1.0"},
}};

double cpu_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

void check(natsStatus status) {
  if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
}

double us_per_publish(natsConnection* connection, std::span<const Header> headers,
                      std::size_t bytes) {
  const std::string payload(bytes, 'x');
  const double start = cpu_us();
  for (int i = 0; i < kCount; ++i) {
    natsMsg* message = nullptr;
    check(natsMsg_Create(&message, "bench.headers", "_INBOX.bench.1.1", payload.data(),
                         static_cast<int>(payload.size())));
    for (const auto& [name, value] : headers) check(natsMsgHeader_Set(message, name, value));
    check(natsConnection_PublishMsg(connection, message));
    natsMsg_Destroy(message);
  }
  const double us = (cpu_us() - start) / kCount;
  check(natsConnection_Flush(connection));
  return us;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("CPU per publish, by the number of headers.");
  std::string url;
  app.add_option("--nats", url, "The server's URL")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    natsConnection* connection = nullptr;
    check(natsConnection_ConnectTo(&connection, url.c_str()));
    const std::span<const Header> all(kHeaders);
    us_per_publish(connection, all, kEventBytes);  // warm
    const double none = us_per_publish(connection, {}, kEventBytes + kEnvelopeBytes);
    const double two = us_per_publish(connection, all.first(2), kEventBytes + kEnvelopeBytes);
    const double six = us_per_publish(connection, all, kEventBytes);
    std::printf(R"({"none_us":%.2f,"structured_us":%.2f,"binary_us":%.2f})"
                "\n",
                none, two, six);
    natsConnection_Destroy(connection);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_headers: " << error.what() << '\n';
    return 1;
  }
}
