#include "pbxctl/completion.h"

#include <memory>

#include "pbxctl/verbs/declarations.h"

namespace pbxctl {

Action declare_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell, "Which one")
      ->type_name("")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  return [shell, &app](Session& session) -> Outcome<void> {
    session.out() << completion(*app.get_parent(), *shell);
    return {};
  };
}

}  // namespace pbxctl
