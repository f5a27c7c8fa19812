#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/system/result.hpp>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include "control/admission.h"
#include "control/admitted.h"
#include "control/metrics.h"
#include "rights/policy.h"

namespace control {

// What an RPC needs, whoever calls it.
struct Rule {
  std::string rpc;  // "pbxgw.v1.CallControl/MakeCall"
  rights::Group group;
};
// The rule of the one RPC that has such requests, from the option in its proto; null if no RPC has.
const Rule* rule_of(const google::protobuf::Descriptor& request);

// The tenants that a message names, at any depth: every text that begins with "tenants/" is a name.
struct Named {
  std::vector<base::TenantId> tenants;  // in order of appearance, each once
  bool every = false;                   // "tenants/-" is among them
};
Named named_in(const google::protobuf::Message& message);

// What a caller showed, and what is wrong with the way he did: a sentence, empty if nothing is.
struct Shown {
  rights::Credentials credentials;
  std::string mistake{};
};
// Names are taken from a certificate that gRPC has verified, and from no other.
Shown shown_by(const grpc::CallbackServerContext& context);

// An RPC that the gate did not let in: nothing was done for it.
struct Refused {
  google::rpc::Status status;
  // No principal if nobody is known by what was shown; then `means` is what that looks like.
  rights::Identity identity;
  rights::Group group;
  std::vector<base::TenantId> tenants;  // those that the request names
  std::string rpc;
};

// Stands before every RPC, before its fields are looked at: whose it is, what that needs, and
// whether he may. It also knows the streams that are open, and ends those whose callers lose the
// right to them. Any thread; lives as long as the process.
class Gate {
 public:
  using Clock = std::chrono::system_clock;
  using Verdict = boost::system::result<Right, Refused>;

  Gate(std::shared_ptr<const rights::Policy> policy, const Metrics& metrics);

  Verdict admit(const Shown& shown, const google::protobuf::Message& request,
                Clock::time_point now = Clock::now()) const;
  // Whether admit() would have to verify a signature to know whose it is.
  bool is_costly(const Shown& shown, Clock::time_point now = Clock::now()) const;

  // ---- Streams: as long as they last, so has the right to. ----

  // From now on `stream` is abandoned when its caller's right ends: the policy has changed, or his
  // credentials expired. Unless it has ended already: then that is returned, and nothing is held.
  std::optional<google::rpc::Status> hold(std::shared_ptr<Pending> stream, Shown shown, Right right,
                                          Clock::time_point now = Clock::now());
  // The caller said more on a stream that is held. If he may not, that is returned: nothing is to
  // be done for it. If he may, the stream also lives by the right to those tenants from now on.
  std::optional<google::rpc::Status> heed(const std::shared_ptr<Pending>& stream,
                                          const google::protobuf::Message& said);
  // What became of the right by which a stream was held.
  struct Released {
    Right right;
    std::optional<Refused> refused;  // by heed(), before anything was let in
  };
  Released release(const std::shared_ptr<Pending>& stream);

  // Another policy from now on.
  void replace(std::shared_ptr<const rights::Policy> policy, Clock::time_point now = Clock::now());
  // To be called about once a second: ends what has expired.
  void tick(Clock::time_point now);

 private:
  struct Held {
    std::shared_ptr<const Shown> shown;
    Right right;
    rights::Identity now;  // as the present policy has it
    bool over = false;     // it was told to end
    std::optional<Refused> refused{};
  };
  using Streams = std::map<std::shared_ptr<Pending>, Held>;
  using Judge = std::function<std::optional<google::rpc::Status>(Streams::value_type&)>;
  void end_those(const Judge& judge);
  std::shared_ptr<const rights::Policy> policy() const;

  const Metrics& metrics_;
  mutable std::mutex mutex_;
  std::shared_ptr<const rights::Policy> policy_;
  Streams held_;
};

}  // namespace control
