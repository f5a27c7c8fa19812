#include "pbxctl/completion.h"

#include <vector>

namespace pbxctl {
namespace {

struct Flag {
  std::string name;  // with its dashes
  std::string meaning;
  bool takes_value;
  bool takes_file;
  std::vector<std::string> values;  // those that can be listed
};
// A verb; or what every verb takes, without a name.
struct Node {
  std::string name, summary;
  std::vector<Flag> flags;
  std::vector<std::string> values;  // of positionals
};

// CLI11 keeps the values of IsMember only in the type's name: "TEXT:{auto,always,never}".
std::vector<std::string> values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{'), close = type.find('}');
  std::vector<std::string> values;
  if (open == std::string::npos || close == std::string::npos) return values;
  for (auto at = open + 1; at < close;) {
    const auto comma = std::min(type.find(',', at), close);
    values.push_back(type.substr(at, comma - at));
    at = comma + 1;
  }
  return values;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Node node_of(const CLI::App& app) {
  Node node{app.get_name(), first_line(app.get_description()), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    const auto values = values_of(*option);
    if (option->get_positional()) {
      node.values.insert(node.values.end(), values.begin(), values.end());
      continue;
    }
    for (const auto& name : option->get_lnames()) {
      const bool takes_value = option->get_items_expected_max() > 0;
      const bool takes_file = option->get_type_name().find("FILE") != std::string::npos;
      node.flags.push_back(
          {"--" + name, option->get_description(), takes_value, takes_file, values});
    }
  }
  return node;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : " ").append(word);
  return out;
}

std::string names_of(const std::vector<Flag>& flags) {
  std::vector<std::string> names;
  for (const auto& flag : flags) names.push_back(flag.name);
  return joined(names);
}

// Within single quotes; the three shells agree on this way out of them.
std::string in_quotes(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// ---- bash: one function, which looks for the verb among the words before the cursor ----

void add_values_case(std::string& out, const std::string& pattern, const Flag& flag) {
  if (!flag.takes_value) return;
  out += "    " + pattern + flag.name + ") ";
  out += flag.takes_file ? "COMPREPLY=($(compgen -f -- \"$word\"))"
                         : "COMPREPLY=($(compgen -W \"" + joined(flag.values) + "\" -- \"$word\"))";
  out += "; return;;\n";
}

std::string for_bash(const Node& root, const std::vector<Node>& verbs) {
  std::string valued, names;
  for (const auto& flag : root.flags) {
    if (flag.takes_value) valued.append(valued.empty() ? "" : "|").append(flag.name);
  }
  for (const auto& verb : verbs) names.append(names.empty() ? "" : " ").append(verb.name);
  std::string out = R"(# bash completion for pbxctl: source <(pbxctl completion bash)
_pbxctl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      )" + valued + R"() ((i++));;
      -*) ;;
      *) verb=${COMP_WORDS[i]}; break;;
    esac
  done
  case "$verb $before" in
)";
  for (const auto& flag : root.flags) add_values_case(out, "*\\ ", flag);
  for (const auto& verb : verbs) {
    for (const auto& flag : verb.flags) add_values_case(out, verb.name + "\\ ", flag);
  }
  out += "  esac\n  case $verb in\n";
  const std::string common = names_of(root.flags);
  out += "    '') COMPREPLY=($(compgen -W \"" + names + " " + common + "\" -- \"$word\"));;\n";
  for (const auto& verb : verbs) {
    out += "    " + verb.name + ") COMPREPLY=($(compgen -W \"";
    if (!verb.values.empty()) out += joined(verb.values) + " ";
    out += names_of(verb.flags) + " " + common + "\" -- \"$word\"));;\n";
  }
  return out + "  esac\n}\ncomplete -F _pbxctl pbxctl\n";
}

// ---- zsh: _arguments specifications ----

std::string zsh_escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_spec(const Flag& flag) {
  std::string spec = "*" + flag.name + "[" + zsh_escaped(flag.meaning) + "]";
  if (flag.takes_value) {
    spec += ":value:";
    spec += flag.takes_file ? "_files" : "(" + joined(flag.values) + ")";
  }
  return in_quotes(spec);
}

std::string for_zsh(const Node& root, const std::vector<Node>& verbs) {
  std::string out =
      "#compdef pbxctl\n# zsh completion for pbxctl: source <(pbxctl completion zsh)\n";
  out += "_pbxctl() {\n  local -a common verbs\n  common=(\n";
  for (const auto& flag : root.flags) out += "    " + zsh_spec(flag) + "\n";
  out += "  )\n  verbs=(\n";
  for (const auto& verb : verbs) {
    out += "    " + in_quotes(verb.name + ":" + zsh_escaped(verb.summary)) + "\n";
  }
  out += R"(  )
  local context state line
  _arguments -C $common '1:verb:->verb' '*::argument:->arguments'
  case $state in
    verb) _describe verb verbs;;
    arguments)
      case $line[1] in
)";
  for (const auto& verb : verbs) {
    out += "        " + verb.name + ") _arguments $common";
    for (const auto& flag : verb.flags) out += " " + zsh_spec(flag);
    out += " " + in_quotes("*:argument:(" + joined(verb.values) + ")") + ";;\n";
  }
  out += "      esac;;\n  esac\n}\n";
  return out +
         "if [ \"$funcstack[1]\" = _pbxctl ]; then _pbxctl; else compdef _pbxctl pbxctl; fi\n";
}

// ---- fish: one command for each thing that there is ----

std::string fish_flag(const std::string& condition, const Flag& flag) {
  std::string out = "complete -c pbxctl" + condition + " -l " + flag.name.substr(2);
  if (flag.takes_value) out += flag.takes_file ? " -r -F" : " -x";
  if (!flag.values.empty()) out += " -a " + in_quotes(joined(flag.values));
  return out + " -d " + in_quotes(flag.meaning) + "\n";
}

std::string for_fish(const Node& root, const std::vector<Node>& verbs) {
  std::string out = "# fish completion for pbxctl: pbxctl completion fish | source\n";
  out += "complete -c pbxctl -f\n";
  for (const auto& flag : root.flags) out += fish_flag("", flag);
  for (const auto& verb : verbs) {
    out += "complete -c pbxctl -n __fish_use_subcommand -a " + verb.name + " -d " +
           in_quotes(verb.summary) + "\n";
    const std::string within = " -n '__fish_seen_subcommand_from " + verb.name + "'";
    for (const auto& flag : verb.flags) out += fish_flag(within, flag);
    if (!verb.values.empty()) {
      out += "complete -c pbxctl" + within + " -a " + in_quotes(joined(verb.values)) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string completion(const CLI::App& root, const std::string& shell) {
  std::vector<Node> verbs;
  for (const CLI::App* verb : root.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(node_of(*verb));
  }
  const Node common = node_of(root);
  if (shell == "bash") return for_bash(common, verbs);
  return shell == "zsh" ? for_zsh(common, verbs) : for_fish(common, verbs);
}

}  // namespace pbxctl
