#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace bus {

// Certificates made with the openssl program, in one folder: name.pem, name.key.
class Certificates {
 public:
  // When they are valid, as seen from now.
  enum class Valid { now, for_longer, no_more, not_yet };

  explicit Certificates(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::string certificate(const std::string& name) const { return folder_ / (name + ".pem"); }
  std::string key(const std::string& name) const { return folder_ / (name + ".key"); }

  // Signed by itself: an authority, or a server's that nobody else vouches for.
  void make_self_signed(const std::string& name, const std::string& names = "IP:127.0.0.1") {
    make_key(name);
    run("openssl req -x509 -new -key " + name + ".key -subj /CN=" + name +
        " -addext subjectAltName=" + names + " -days 2 -out " + name + ".pem");
  }

  void issue(const std::string& authority, const std::string& name,
             const std::string& names = "IP:127.0.0.1", Valid valid = Valid::now) {
    make_key(name);
    const std::string from = valid == Valid::not_yet ? "'+1 day'" : "'-2 days'";
    const std::string to = valid == Valid::no_more      ? "'-1 day'"
                           : valid == Valid::for_longer ? "'+9 days'"
                                                        : "'+2 days'";
    const std::string time = "$(date -u +%Y%m%d%H%M%SZ -d ";
    run("openssl req -new -key " + name + ".key -subj /CN=" + name + " -out " + name + ".csr" +
        " && mkdir -p " + name + ".ca && : > " + name + ".ca/index" +
        " && printf 'subjectAltName=" + names + "' > " + name + ".ext" +
        " && printf '[ca]\\ndefault_ca=it\\n[it]\\ndatabase=" + name +
        ".ca/index\\nnew_certs_dir=" + name +
        ".ca\\nrand_serial=yes\\ndefault_md=sha256\\npolicy=any\\n[any]\\n" +
        "commonName=supplied\\n' > " + name + ".cnf" +  //
        " && openssl ca -batch -notext -config " + name + ".cnf -cert " + authority +
        ".pem -keyfile " + authority + ".key -in " + name + ".csr -out " + name + ".pem -extfile " +
        name + ".ext -startdate " + time + from + ") -enddate " + time + to + ")");
  }

 private:
  void make_key(const std::string& name) {
    run("openssl ecparam -name prime256v1 -genkey -noout -out " + name + ".key");
  }
  void run(const std::string& command) {
    const std::string all = "cd " + folder_.string() + " && (" + command + ") 2>openssl.log";
    EXPECT_EQ(std::system(all.c_str()), 0) << all;
  }

  const std::filesystem::path folder_;
};

}  // namespace bus
