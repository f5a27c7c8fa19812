#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/control/control_fixture.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using testing::HasSubstr;
using testing::MatchesRegex;

// The program as it is installed, as a process.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int out[2];
    if (pipe(out) != 0) throw std::runtime_error("pipe");
    process_ = fork();
    if (process_ == 0) {
      dup2(out[1], 1);
      dup2(out[1], 2);
      close(out[0]);
      std::vector<char*> argv;
      arguments.insert(arguments.begin(), CONTROL_PROGRAM);
      for (auto& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(out[1]);
    out_ = fdopen(out[0], "r");
  }
  ~Program() {
    if (process_ > 0) kill(process_, SIGKILL);
    wait();
    fclose(out_);
  }

  std::string line() {
    char text[4096];
    return fgets(text, sizeof text, out_) ? text : "";
  }
  std::string rest() {
    std::string all;
    for (std::string next = line(); !next.empty(); next = line()) all += next;
    return all;
  }
  void signal(int number) { kill(process_, number); }
  // The exit status, or minus the signal that ended it.
  int wait() {
    if (process_ <= 0) return status_;
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = -1;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return status_;
  }

 private:
  pid_t process_ = -1;
  int status_ = 0;
  FILE* out_ = nullptr;
};

struct ProgramTest : ControlFixture {
  std::filesystem::path file = server.folder() / "control.yaml";

  void configure(const std::string& more = {}) {
    std::ofstream(file) << "nats:\n  urls: [\"" << server.url()
                        << "\"]\ngrpc:\n  port: 0\nadmin:\n  port: 0\n"
                        << more;
  }
  // Starts it and connects to it.
  std::unique_ptr<Program> run() {
    auto program =
        std::make_unique<Program>(std::vector<std::string>{"--config", file, "--announce"});
    int grpc_port = 0, admin_port = 0;
    const std::string line = program->line();
    EXPECT_EQ(
        sscanf(line.c_str(), "{\"ready\":true,\"grpc\":%d,\"admin\":%d}", &grpc_port, &admin_port),
        2)
        << line;
    channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(grpc_port),
                                  grpc::InsecureChannelCredentials());
    return program;
  }
};

TEST_F(ProgramTest, TellsItsVersion) {
  Program program({"--version"});
  EXPECT_THAT(program.rest(), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+.*\n"));
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramTest, SaysWhatIsWrongWithItsConfiguration) {
  configure("limits:\n  default_deadline: 2m\n  watcher_max: 5\n");
  Program program({"--config", file, "--check-config"});
  const auto said = program.rest();
  EXPECT_THAT(said, HasSubstr("limits.default_deadline: expected no longer than"));
  EXPECT_THAT(said, HasSubstr("limits.watcher_max"));
  EXPECT_EQ(program.wait(), 2);

  configure();
  Program fine({"--config", file, "--check-config"});
  EXPECT_EQ(fine.rest(), file.string() + ": ok\n");
  EXPECT_EQ(fine.wait(), 0);
}

TEST_F(ProgramTest, SaysWhatIsWrongWithAPolicyOrWhatItAllows) {
  const auto policy = server.folder() / "policy.yaml";
  std::ofstream(policy) << "principals:\n  - name: crm\n    certificates: [crm]\n";
  Program wrong({"--check-policy", policy});
  const auto said = wrong.rest();
  EXPECT_THAT(said, HasSubstr("policy.yaml:3: principals[0].certificates[0]"));
  EXPECT_THAT(said, HasSubstr("policy.yaml:2: principals[0].grants: missing"));
  EXPECT_EQ(wrong.wait(), 2);

  std::ofstream(policy) << "principals: [{name: crm, certificates: [\"cn:crm\"], "
                           "grants: [{tenants: [acme], groups: [observe]}]}]\n";
  Program fine({"--check-policy", policy});
  EXPECT_EQ(fine.rest(), "crm\n  by the certificate of cn:crm\n  may observe for acme\n");
  EXPECT_EQ(fine.wait(), 0);
}

TEST_F(ProgramTest, DocumentsItsConfiguration) {
  Program program({"--config-reference"});
  const auto said = program.rest();
  for (const char* setting : {"nats.urls", "grpc.port", "grpc.tls.certificate_file",
                              "limits.watchers_max", "lease.ttl", "admin.port", "log.level"}) {
    EXPECT_THAT(said, HasSubstr(setting));
  }
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramTest, ServesUntilASignal) {
  make_owners();
  owners->add("acme");
  configure();
  auto program = run();
  see("acme");
  program->signal(SIGTERM);
  EXPECT_EQ(program->wait(), 0);
}

TEST_F(ProgramTest, EndsAtOnceOnASecondSignal) {
  make_owners();
  owners->add("acme");
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  configure("limits:\n  drain: 5m\n");
  auto program = run();
  see("acme");
  std::thread caller([&] {
    HoldCallRequest request;
    request.set_connection("tenants/acme/connections/c1-1-1");
    HoldCallResponse response;
    call<CallControl>(&CallControl::Stub::HoldCall, request, response);
  });
  ASSERT_TRUE(eventually([&] {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return !it.heard.empty(); });
  }));
  program->signal(SIGTERM);
  // It drains: it answers that it is shutting down.
  ASSERT_TRUE(eventually([&] {
    GetTenantRequest request;
    request.set_name("tenants/acme");
    GetTenantResponse response;
    return reason_of(call<Tenants>(&Tenants::Stub::GetTenant, request, response)) ==
           "SHUTTING_DOWN";
  }));
  program->signal(SIGTERM);
  EXPECT_EQ(program->wait(), 1);
  caller.join();
}

}  // namespace
}  // namespace control
