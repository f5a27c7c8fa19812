#include "rights/rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "config/document.h"

namespace rights {
namespace {

using config::Section;
using namespace std::chrono_literals;

constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kIssuersMax = 16;
constexpr std::size_t kPrincipalsMax = 1'000;
constexpr std::size_t kPerPrincipalMax = 100;  // tokens, certificates, subjects, grants
constexpr std::string_view kEverywhere = "*";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string words(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& word : all) out += (out.empty() ? "" : ", ") + word;
  return out;
}

template <std::size_t N, class Enum>
std::string words(const std::array<Enum, N>& all) {
  std::vector<std::string> names;
  for (const Enum it : all) names.emplace_back(name_of(it));
  return words(names);
}

// The file's text, or why it cannot be had.
std::optional<std::string> text_of(const std::filesystem::path& file, std::string& why) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    why = "is a folder; expected a JWK set";
    return std::nullopt;
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::string text(kJwkSetBytesMax + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) {
    why = std::string("cannot be read: ") + std::strerror(errno);
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

// Reads the sections of one file, and remembers whose is what.
class Reader {
 public:
  Reader(std::filesystem::path folder, std::vector<std::filesystem::path>& files,
         std::vector<config::Problem>& problems)
      : folder_(std::move(folder)), files_(files), problems_(problems) {}

  Issuer issuer(const Section& in) {
    Issuer it;
    it.name = in.text("issuer", {.doc = "Its name: `iss` of its tokens, exactly."});
    it.audience = in.text("audience", {.doc = "What has to be (one of) `aud` of its tokens."});
    const auto keys_file = in.text(
        "keys_file", {.doc = "Its JWK set; read again when it changes.", .length_max = 4'096});
    if (!keys_file.empty()) {
      it.keys_file = folder_ / keys_file;
      it.keys = keys_in(it.keys_file);
    }
    std::vector<std::string> names;
    for (const Algorithm algorithm : kAlgorithms) names.emplace_back(name_of(algorithm));
    const auto like = "one of " + words(names);
    for (const auto& name : in.list("algorithms", {.doc = "How its tokens may be signed.",
                                                  .otherwise = names,
                                                  .pattern = "RS256|ES256|EdDSA",
                                                  .like = like,
                                                  .count_min = 1,
                                                  .count_max = kAlgorithms.size()})) {
      it.algorithms.set(static_cast<std::size_t>(*algorithm_from(name)));
    }
    it.clock_skew = std::chrono::duration_cast<std::chrono::seconds>(in.duration(
        "clock_skew",
        {.doc = "How far its clock may be from ours.", .otherwise = 30s, .most = 5min}));
    issuers_.insert(it.name);
    return it;
  }

  Member member(const Section& in) {
    Member it;
    const auto name = in.text("name", {.doc = "What logs and audit records call it.",
                                       .pattern = "[a-z0-9][a-z0-9._-]*",
                                       .like = "lower-case letters, digits, '.', '_' and '-'",
                                       .length_max = 64});
    if (name == "anyone") in.wrong("name", "\"anyone\" is who calls where there is no policy");
    read_tokens(in, name, it);
    read_certificates(in, name, it);
    read_subjects(in, name, it);
    const bool unreachable = !in.has("tokens") && !in.has("certificates") && !in.has("subjects");
    if (unreachable) {
      in.wrong("tokens",
               "missing; expected tokens, certificates or subjects: by none of them "
               "nobody is known as this principal");
    }
    if (!in.has("grants")) in.wrong("grants", "missing; expected a list, [] for no rights at all");
    in.each("grants", [&](const Section& grant) { it.grants.push_back(read_grant(grant)); },
            {.doc = "What it may do, and for whom.", .count_max = kPerPrincipalMax});
    it.principal = std::make_shared<const Principal>(name, it.grants);
    return it;
  }

 private:
  std::vector<Jwk> keys_in(const std::filesystem::path& file) {
    files_.push_back(file);
    std::string why;
    if (const auto text = text_of(file, why)) {
      return jwk_set_from(*text, file.string(), problems_);
    }
    problems_.push_back({file.string(), 0, "", "", why});
    return {};
  }

  void read_tokens(const Section& in, const std::string& name, Member& it) {
    // Whoever writes the token itself here has to find out, but not by finding it in a log.
    for (const auto& text : in.list("tokens", {.doc = "Hashes of its tokens.",
                                              .otherwise = std::vector<std::string>{},
                                              .count_max = kPerPrincipalMax,
                                              .sensitive = true})) {
      const auto hash = lower(text);
      const bool right =
          hash.size() == kHashPrefix.size() + kHashDigits && hash.starts_with(kHashPrefix) &&
          hash.find_first_not_of("0123456789abcdef", kHashPrefix.size()) == std::string::npos;
      if (!right) {
        in.wrong("tokens", "expected hashes of tokens: sha256: and 64 hex digits");
        continue;
      }
      claim(in, "tokens", "a token", tokens_, hash, name);
      it.token_hashes.push_back(hash.substr(kHashPrefix.size()));
    }
  }

  void read_certificates(const Section& in, const std::string& name, Member& it) {
    for (const auto& text : in.list("certificates", {.doc = "Names in its certificates.",
                                                    .otherwise = std::vector<std::string>{},
                                                    .pattern = "(cn|dns|uri):\\S.*",
                                                    .like = "cn:, dns: or uri: and a name",
                                                    .count_max = kPerPrincipalMax})) {
      auto certificate = certificate_name(text);
      claim(in, "certificates", config::quote(text), certificates_, certificate, name);
      it.certificates.push_back(std::move(certificate));
    }
  }

  void read_subjects(const Section& in, const std::string& name, Member& it) {
    in.each("subjects",
            [&](const Section& subject) {
              Subject is{
                  subject.text("issuer", {.doc = "One of `issuers`."}),
                  subject.text("subject", {.doc = "`sub` of its tokens; \"*\": any other."})};
              if (is.issuer.empty() || is.name.empty()) return;
              if (!issuers_.contains(is.issuer)) {
                subject.wrong("issuer", "found " + config::quote(is.issuer) +
                                            "; expected one of the issuers of this file");
              }
              claim(subject, "subject", config::quote(is.name), subjects_, is, name);
              it.subjects.push_back(std::move(is));
            },
            {.doc = "Whom its tokens are about.", .count_max = kPerPrincipalMax});
  }

  Principal::Grant read_grant(const Section& in) {
    Principal::Grant grant;
    grant.tenants = in.list("tenants", {.doc = "Their ids, or \"*\": all, those to come included.",
                                        .pattern = "\\*|[A-Za-z0-9._-]+",
                                        .like = "a tenant's id, or \"*\"",
                                        .count_min = 1,
                                        .count_max = 10'000});
    const auto everywhere = std::find(grant.tenants.begin(), grant.tenants.end(), kEverywhere);
    if (everywhere != grant.tenants.end()) {
      if (grant.tenants.size() > 1) in.wrong("tenants", "\"*\" has to stand alone");
      grant.tenants.clear();
    }
    const auto like = "one of " + words(kGroups);
    for (const auto& name : in.list("groups", {.doc = "Which RPCs.",
                                              .pattern = "observe|control|provision|admin",
                                              .like = like,
                                              .count_min = 1,
                                              .count_max = kGroups.size()})) {
      grant.groups.set(static_cast<std::size_t>(*group_from(name)));
    }
    return grant;
  }

  // What two had, would be whose came first.
  template <class Key>
  void claim(const Section& in, std::string_view setting, const std::string& what,
             std::map<Key, std::string>& owners, const Key& key, const std::string& name) {
    const auto [owner, fresh] = owners.emplace(key, name);
    if (fresh) return;
    in.wrong(setting, owner->second == name ? what + " stands here twice"
                                            : what + " is " + owner->second +
                                                  "'s already, and cannot be " + name + "'s, too");
  }

  const std::filesystem::path folder_;
  std::vector<std::filesystem::path>& files_;
  std::vector<config::Problem>& problems_;
  std::set<std::string> issuers_;
  std::map<std::string, std::string> tokens_, certificates_;  // to the principal's name
  std::map<Subject, std::string> subjects_;
};

std::string description_of(const Principal::Grant& grant) {
  std::vector<std::string> groups;
  for (const Group group : kGroups) {
    if (grant.groups.test(static_cast<std::size_t>(group))) groups.emplace_back(name_of(group));
  }
  return "  may " + words(groups) + " for " +
         (grant.tenants.empty() ? "all tenants" : words(grant.tenants)) + '\n';
}

bool same(const Member& a, const Member& b) {
  return a.grants == b.grants && a.token_hashes == b.token_hashes &&
         a.certificates == b.certificates && a.subjects == b.subjects;
}

}  // namespace

const Issuer* Rules::issuer(std::string_view name) const {
  const auto found = std::find_if(issuers.begin(), issuers.end(),
                                  [&](const Issuer& it) { return it.name == name; });
  return found == issuers.end() ? nullptr : &*found;
}

std::string certificate_name(std::string_view name) {
  return name.starts_with("dns:") ? lower(name) : std::string(name);
}

Rules read_rules(const std::filesystem::path& file, std::vector<std::filesystem::path>& files,
                 std::vector<config::Problem>& problems) {
  files.push_back(file);
  // All settings stand in lists, where no environment variable reaches.
  auto document = config::Document::load(file, {});
  std::vector<config::Problem> elsewhere;  // in the key sets
  Rules rules;
  Reader reader(file.parent_path(), files, elsewhere);
  const Section root = document.root();
  root.each("issuers", [&](const Section& in) { rules.issuers.push_back(reader.issuer(in)); },
            {.doc = "Whose JWTs count.", .count_max = kIssuersMax, .unique = "issuer"});
  root.each(
      "principals", [&](const Section& in) { rules.members.push_back(reader.member(in)); },
      {.doc = "Whom we know.", .count_min = 1, .count_max = kPrincipalsMax, .unique = "name"});
  problems = document.finish();
  problems.insert(problems.end(), elsewhere.begin(), elsewhere.end());
  return rules;
}

Differences differences(const Rules& before, const Rules& after) {
  Differences found;
  std::map<std::string, const Member*> old;
  for (const Member& member : before.members) old.emplace(member.principal->name(), &member);
  for (const Member& member : after.members) {
    const auto& name = member.principal->name();
    const auto it = old.find(name);
    if (it == old.end()) {
      found.added.push_back(name);
      continue;
    }
    if (!same(*it->second, member)) found.changed.push_back(name);
    old.erase(it);
  }
  for (const auto& [name, member] : old) found.removed.push_back(name);

  for (const Issuer& issuer : after.issuers) {
    const Issuer* was = before.issuer(issuer.name);
    if (!was || !(*was == issuer)) found.issuers.push_back(issuer.name);
  }
  for (const Issuer& issuer : before.issuers) {
    if (!after.issuer(issuer.name)) found.issuers.push_back(issuer.name);
  }
  return found;
}

std::string description_of(const Rules& rules) {
  std::string out;
  for (const Issuer& issuer : rules.issuers) {
    out += "issuer " + issuer.name + ": " + std::to_string(issuer.keys.size()) +
           " keys, audience " + issuer.audience + '\n';
  }
  for (const Member& member : rules.members) {
    out += member.principal->name() + '\n';
    if (!member.token_hashes.empty()) {
      out += "  by " + std::to_string(member.token_hashes.size()) + " static tokens\n";
    }
    for (const auto& name : member.certificates) out += "  by the certificate of " + name + '\n';
    for (const Subject& subject : member.subjects) {
      out += "  by tokens of " + subject.issuer + " for " +
             (subject.name == kEverywhere ? "anybody else" : subject.name) + '\n';
    }
    for (const auto& grant : member.grants) out += description_of(grant);
    if (member.grants.empty()) out += "  may nothing\n";
  }
  return out;
}

}  // namespace rights
