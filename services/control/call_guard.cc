#include "control/call_guard.h"

#include <chrono>
#include <set>
#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>

#include "control/answer.h"
#include "control/grpc_status.h"
#include "control/services.h"
#include "wire/status.h"

namespace control {

namespace experimental = grpc::experimental;
using base::Errc;
using std::chrono::steady_clock;

namespace {

constexpr std::string_view kOurs = "/pbxgw.";
constexpr std::string_view kProvisioning = "/pbxgw.provisioning.v1.";

// What gRPC means by an error that it made by itself.
base::Error errc_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNIMPLEMENTED: return Errc::feature_not_supported;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return Errc::message_too_big;
    case grpc::StatusCode::UNAVAILABLE: return Errc::shutting_down;
    case grpc::StatusCode::DEADLINE_EXCEEDED: return Errc::timed_out;
    default: return Errc::internal;
  }
}

// "/pbxgw.v1.CallControl/MakeCall" and all the others that there are. Descriptor pools are not
// asked for a caller's word: they remember what they do not know.
bool is_there(std::string_view method) {
  static const auto* const kMethods = [] {
    auto* methods = new std::set<std::string, std::less<>>;
    const auto* pool = google::protobuf::DescriptorPool::generated_pool();
    for (const char* name : kServices) {
      const auto* service = pool->FindServiceByName(name);
      for (int i = 0; service && i < service->method_count(); ++i) {
        methods->insert('/' + service->full_name() + '/' + service->method(i)->name());
      }
    }
    return methods;
  }();
  return kMethods->contains(method);
}

class Guard final : public experimental::Interceptor {
 public:
  Guard(const Metrics& metrics, experimental::ServerRpcInfo* info)
      : metrics_(metrics),
        is_unary_(info->type() == experimental::ServerRpcInfo::Type::UNARY),
        method_(info->method()) {}

  void Intercept(experimental::InterceptorBatchMethods* methods) override {
    using Point = experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(Point::PRE_SEND_STATUS)) {
      const grpc::Status status = methods->GetSendStatus();
      if (!status.ok()) complete(status, *methods);
      count(status.error_code());
    }
    methods->Proceed();
  }

 private:
  // The health service has a contract of its own.
  bool is_ours() const { return method_.starts_with(kOurs); }

  // The method, which is unique within pbxgw.v1; "Provisioning/GetDevice" is not "GetDevice". What
  // there is not is no value of a label, whoever asks for it.
  std::string label() const {
    if (!is_there(method_)) return "other";
    const std::string_view prefix = method_.starts_with(kProvisioning)
                                        ? kProvisioning
                                        : method_.substr(0, method_.rfind('/') + 1);
    return std::string(method_.substr(prefix.size()));
  }

  void complete(const grpc::Status& status, experimental::InterceptorBatchMethods& methods) const {
    const bool unknown = status.error_code() == grpc::StatusCode::UNIMPLEMENTED;
    if (!status.error_details().empty() || !(is_ours() || unknown)) return;
    auto whole = refuse(errc_of(status.error_code()), status.error_message());
    whole.set_code(status.error_code());
    if (unknown) whole.set_message("There is no RPC " + std::string(method_.substr(0, 128)) + '.');
    methods.ModifySendStatus(to_grpc(whole));
  }

  void count(grpc::StatusCode code) const {
    const std::string rpc = label();
    metrics_.commands.at({rpc, wire::name_of_code(code)}).add();
    if (code == grpc::StatusCode::OK && is_ours()) {
      metrics_.command_success.set(std::chrono::system_clock::now());
    }
    if (is_unary_ && is_ours()) {
      metrics_.command_time.at({rpc}).observe(steady_clock::now() - begun_);
    }
  }

  const Metrics& metrics_;
  const bool is_unary_;
  const std::string_view method_;  // gRPC's, for as long as the RPC lives
  const steady_clock::time_point begun_ = steady_clock::now();
};

}  // namespace

experimental::Interceptor* CallGuard::CreateServerInterceptor(experimental::ServerRpcInfo* info) {
  return new Guard(metrics_, info);  // gRPC deletes it
}

}  // namespace control
