#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "pbxctl/json.h"
#include "pbxctl/target.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxgw/v1/call_history_service.grpc.pb.h"
#include "wire/names.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

constexpr char kStandardOutput[] = "-";

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Where the sound goes: a new file, or the output. A file is removed unless keep() was called.
class Sink {
 public:
  Sink(std::ostream& out, std::string path) : out_(out), path_(std::move(path)) {}
  ~Sink() {
    if (!file_ || kept_) return;
    file_.reset();
    std::remove(path_.c_str());
  }
  Outcome<void> open() {
    if (path_ == kStandardOutput) return {};
    file_.reset(std::fopen(path_.c_str(), "wbx"));  // never one that is there
    if (!file_) return failed();
    return {};
  }
  Outcome<void> write(const std::string& bytes) {
    if (!file_) {
      out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      return out_ ? Outcome<void>() : failed();
    }
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) return failed();
    return {};
  }
  Outcome<void> keep() {
    if (!file_) return {};
    kept_ = std::fclose(file_.release()) == 0;
    if (kept_) return {};
    const Failure why = failed();
    std::remove(path_.c_str());
    return why;
  }

 private:
  Failure failed() const {
    const bool exists = errno == EEXIST;
    return {exists ? ExitCode::usage : ExitCode::other,
            "cannot write " + printable(path_) + ": " +
                (exists ? "it exists already" : std::strerror(errno)),
            {},
            {}};
  }

  std::ostream& out_;
  const std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  bool kept_ = false;
};

Outcome<std::string> name_of(Session& session, const std::string& text) {
  if (text.starts_with("tenants/")) return text;
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  const auto id = wire::parse_tenant(*tenant);
  return wire::recording_name(id ? *id : base::TenantId(), text);
}

Outcome<void> fetch(Session& session, const std::string& text, const std::string& path) {
  auto name = name_of(session, text);
  if (!name) return name.error();
  if (auto connected = session.connect(); !connected) return connected.error();
  auto channel = session.channel();
  if (!channel) return channel.error();

  // No deadline: a long recording takes long, and the service ends what does not go on.
  grpc::ClientContext context;
  if (auto authorized = session.authorize(context); !authorized) return authorized.error();
  CallHistory::Stub stub(*channel);
  GetRecordingRequest request;
  request.set_name(*name);
  const auto reader = stub.GetRecording(&context, request);
  const bool to_output = path == kStandardOutput;
  Sink sink(session.out(), path);
  bool open = false;
  Recording recording;
  Outcome<void> outcome;
  GetRecordingResponse response;
  while (outcome && reader->Read(&response)) {
    if (response.has_recording()) {
      recording = response.recording();
      outcome = sink.open();  // not before there is something to write
      open = true;
    } else {
      outcome = sink.write(response.data());
    }
  }
  if (!outcome) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!outcome) return outcome;
  if (!status.ok()) return session.failure_of(status);
  if (!open) return Failure{ExitCode::other, "the service sent nothing", {}, {}};
  if (outcome = sink.keep(); !outcome) return outcome;
  if (to_output) return {};
  if (session.json()) {
    session.out() << json_line(recording) << '\n';
  } else {
    session.out() << printable(recording.content_type()) << " in " << printable(path) << '\n';
  }
  return {};
}

}  // namespace

Action declare_recording(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto path = std::make_shared<std::string>();
  app.add_option("RECORDING", *name, "Which one, as history shows it")->required()->type_name("");
  app.add_option("--output", *path, "The file to make; - for the output")
      ->required()
      ->type_name("FILE");
  return [name, path](Session& session) { return fetch(session, *name, *path); };
}

}  // namespace pbxctl
