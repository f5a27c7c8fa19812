// create-phone, create-user, create-token, create-agent.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>

#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/set_up.h"

namespace pbxctl {
namespace {

constexpr char kStandardInput[] = "-";
constexpr std::size_t kPasswordBytesMax = 4'096;

struct Password {
  std::string file;
};

void add_password(CLI::App& app, Password& password) {
  app.add_option("--password-file", password.file,
                 "The file with the password, or - for the input; default: none")
      ->type_name("FILE");
}

// Empty if there is to be none.
Outcome<std::string> read(const Session& session, const Password& password) {
  if (password.file.empty()) return std::string();
  const auto failed = [&](const char* why) {
    return Failure{
        ExitCode::usage, "cannot take a password from " + printable(password.file) + why, {}, {}};
  };
  std::ifstream file;
  const bool is_input = password.file == kStandardInput;
  if (!is_input) file.open(password.file, std::ios::binary);
  if (!is_input && !file) return failed(": it cannot be read");
  std::istream& in = is_input ? session.in() : file;
  std::string text(kPasswordBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  if (in.bad()) return failed(": it cannot be read");
  if (text.size() > kPasswordBytesMax) return failed(": it is too large");
  for (const char end : {'\n', '\r'}) {
    if (text.ends_with(end)) text.pop_back();
  }
  if (text.empty()) return failed(": it is empty");
  return text;
}

CLI::Option* add_id(CLI::App& app, const std::string& name, std::string& into,
                    const std::string& meaning) {
  return app.add_option(name, into, meaning + ": an id, or a resource name")->type_name("");
}

struct PhoneArguments {
  pv1::CreateDeviceRequest request;
  std::string user, request_id;
  Password password;
};

struct UserArguments {
  pv1::CreateUserRequest request;
  std::vector<std::string> phones, roles, licences;
  std::string request_id;
  Password password;
};

struct TokenArguments {
  pv1::CreateUserTokenRequest request;
  std::string user, request_id;
};

struct AgentArguments {
  pv1::CreateAgentRequest request;
  std::string user, team, request_id;
  int chats = 1, tasks = 1, calls = 1;
};

Outcome<void> create(Session& session, PhoneArguments& it) {
  auto& device = *it.request.mutable_device();
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  it.request.set_parent(*tenant);
  auto password = read(session, it.password);
  if (!password) return password.error();
  device.set_password(*password);
  if (!it.user.empty()) {
    auto user = resource_name(session, "users", it.user);
    if (!user) return user.error();
    device.set_user(*user);
  }
  auto made = order(session, &Provisioning::Stub::CreateDevice, it.request, it.request_id);
  if (!made) return made.error();
  tell_made(session, *made, made->device().name(), made->device().display_name(), it.request_id);
  return {};
}

Outcome<void> create(Session& session, UserArguments& it) {
  auto& user = *it.request.mutable_user();
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  it.request.set_parent(*tenant);
  auto password = read(session, it.password);
  if (!password) return password.error();
  user.set_password(*password);
  for (const std::string& text : it.phones) {
    auto phone = resource_name(session, "phones", text);
    if (!phone) return phone.error();
    user.add_devices()->set_device(*phone);
  }
  for (const std::string& role : it.roles) user.add_roles()->set_id(role);
  for (const std::string& licence : it.licences) user.add_licences()->set_id(licence);
  auto made = order(session, &Provisioning::Stub::CreateUser, it.request, it.request_id);
  if (!made) return made.error();
  tell_made(session, *made, made->user().name(), made->user().display_name(), it.request_id);
  return {};
}

Outcome<void> create(Session& session, TokenArguments& it) {
  auto user = resource_name(session, "users", it.user);
  if (!user) return user.error();
  it.request.set_parent(*user);
  auto made = order(session, &Provisioning::Stub::CreateUserToken, it.request, it.request_id);
  if (!made) return made.error();
  const auto& token = made->user_token();
  if (token.token().empty()) {
    return Failure{ExitCode::other,
                   "token " + id_of(token.name()) + " was made before, and is told once only",
                   {"If it is lost: delete-token, and make another one"},
                   {}};
  }
  if (session.json()) {
    tell_made(session, *made, token.name(), token.purpose(), it.request_id);
    return {};
  }
  session.out() << token.token() << '\n';
  session.err() << "pbxctl: this is token " << id_of(token.name()) << " of user " << id_of(*user)
                << "; it is told this once\n";
  return {};
}

Outcome<void> create(Session& session, AgentArguments& it) {
  auto& agent = *it.request.mutable_agent();
  auto user = resource_name(session, "users", it.user);
  if (!user) return user.error();
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  it.request.set_parent(*tenant);
  agent.set_user(*user);
  if (!it.team.empty()) agent.mutable_team()->set_id(it.team);
  agent.set_max_chats(it.chats);
  agent.set_max_tasks(it.tasks);
  agent.set_max_calls(it.calls);
  auto made = order(session, &Provisioning::Stub::CreateAgent, it.request, it.request_id);
  if (!made) return made.error();
  tell_made(session, *made, made->agent().name(), made->agent().display_name(), it.request_id);
  return {};
}

}  // namespace

Action declare_create_phone(CLI::App& app) {
  auto it = std::make_shared<PhoneArguments>();
  auto& device = *it->request.mutable_device();
  app.add_option("NAME", *device.mutable_display_name(), "For people")->type_name("")->required();
  app.add_option("ACCOUNT", *device.mutable_account(), "What the phone registers as")
      ->type_name("")
      ->required();
  add_password(app, it->password);
  add_id(app, "--user", it->user, "Whose phone it is")->type_name("USER");
  add_request_id(app, it->request_id);
  return [it](Session& session) { return create(session, *it); };
}

Action declare_create_user(CLI::App& app) {
  auto it = std::make_shared<UserArguments>();
  auto& user = *it->request.mutable_user();
  app.add_option("NAME", *user.mutable_display_name(), "For people")->type_name("")->required();
  app.add_option("LOGIN", *user.mutable_login(), "His login name")->type_name("")->required();
  add_password(app, it->password);
  app.add_option("--e-mail", *user.mutable_e_mail(), "His address")->type_name("ADDRESS");
  app.add_option("--extension", *user.mutable_extension(), "The device whose calls are his")
      ->type_name("NUMBER");
  app.add_option("--phone", it->phones, "A phone of his: an id, or a resource name")
      ->type_name("PHONE")
      ->allow_extra_args(false);
  app.add_option("--role", it->roles, "The id of a role")->type_name("ID")->allow_extra_args(false);
  app.add_option("--licence", it->licences, "The id of a licence")
      ->type_name("ID")
      ->allow_extra_args(false);
  add_request_id(app, it->request_id);
  return [it](Session& session) { return create(session, *it); };
}

Action declare_create_token(CLI::App& app) {
  auto it = std::make_shared<TokenArguments>();
  add_id(app, "USER", it->user, "As whom it acts")->required();
  app.add_option("PURPOSE", *it->request.mutable_user_token()->mutable_purpose(),
                 "What it is for, for people")
      ->type_name("")
      ->required();
  add_request_id(app, it->request_id);
  return [it](Session& session) { return create(session, *it); };
}

Action declare_create_agent(CLI::App& app) {
  auto it = std::make_shared<AgentArguments>();
  const auto at_a_time = CLI::Range(1, 100).description("");
  add_id(app, "USER", it->user, "Who it is")->required();
  app.add_option("--team", it->team, "The id of his team")->type_name("ID");
  app.add_option("--calls", it->calls, "How many at a time; default 1")
      ->type_name("N")
      ->check(at_a_time);
  app.add_option("--chats", it->chats, "The same for chats")->type_name("N")->check(at_a_time);
  app.add_option("--tasks", it->tasks, "The same for tasks")->type_name("N")->check(at_a_time);
  add_request_id(app, it->request_id);
  return [it](Session& session) { return create(session, *it); };
}

}  // namespace pbxctl
