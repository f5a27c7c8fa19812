#include "config/yaml_tree.h"

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace config {
namespace {

constexpr std::size_t kNodesMax = 1'000'000;
constexpr std::size_t kProblemsMax = 1'000;

int line_of(const YAML::Mark& mark) { return mark.line + 1; }

// Listens to yaml-cpp's parser, and builds the tree from what it says. Lives for one document.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const std::string& file, std::vector<Problem>& problems)
      : file_(file), problems_(problems) {}

  Node::Pointer root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, Node::Kind::null, {});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // "!" is the tag of text in quotes, and an empty text in quotes is a text.
    const bool nothing = tag != "!" && (value.empty() || value == "~" || value == "null");
    add(mark, anchor, nothing ? Node::Kind::null : Node::Kind::scalar, value);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) throw YAML::Exception(mark, "an alias may not contain itself");
    place(mark, it->second);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, Node::Kind::mapping);
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or mapping whose end has not come yet.
  struct Open {
    std::shared_ptr<Node> node;
    YAML::anchor_t anchor;
    std::unordered_map<std::string, int> lines;  // of the keys so far
    std::string key;                             // waits for its value
    int key_line = 0;
    bool has_key = false;
  };

  void count(const YAML::Mark& mark) {
    if (++nodes_ > kNodesMax) {
      throw YAML::Exception(mark, "more than " + std::to_string(kNodesMax) + " values");
    }
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind,
           const std::string& text) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->line = line_of(mark);
    node->text = text;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    place(mark, std::move(node));
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
    if (!open_.empty() && expects_key()) {
      throw YAML::Exception(mark, "a key must be plain text");
    }
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->line = line_of(mark);
    open_.push_back({std::move(node), anchor, {}, {}, 0, false});
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    // Only now: an alias inside would make the tree a circle.
    if (done.anchor != YAML::NullAnchor) anchors_[done.anchor] = done.node;
    YAML::Mark mark;
    mark.line = done.node->line - 1;
    place(mark, std::move(done.node));
  }

  bool expects_key() const {
    return open_.back().node->kind == Node::Kind::mapping && !open_.back().has_key;
  }

  void place(const YAML::Mark& mark, Node::Pointer node) {
    count(mark);
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& in = open_.back();
    if (in.node->kind == Node::Kind::list) {
      in.node->items.push_back(std::move(node));
    } else if (!in.has_key) {
      if (node->kind == Node::Kind::list || node->kind == Node::Kind::mapping) {
        throw YAML::Exception(mark, "a key must be plain text");
      }
      in.key = node->text;
      in.key_line = line_of(mark);
      in.has_key = true;
    } else {
      in.has_key = false;
      auto [first, fresh] = in.lines.emplace(in.key, in.key_line);
      if (fresh) {
        in.node->entries.push_back({std::move(in.key), in.key_line, std::move(node)});
      } else if (problems_.size() < kProblemsMax) {
        problems_.push_back({file_, in.key_line, "", path_of_open(),
                             "given twice; the first is in line " + std::to_string(first->second)});
      }
    }
  }

  std::string path_of_open() const {
    std::string path;
    for (const auto& it : open_) {
      if (it.node->kind == Node::Kind::list) {
        path += '[' + std::to_string(it.node->items.size()) + ']';
      } else {
        path += (path.empty() ? "" : ".") + it.key;
      }
    }
    return path;
  }

  const std::string& file_;
  std::vector<Problem>& problems_;
  std::size_t nodes_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node::Pointer> anchors_;
  Node::Pointer root_;
};

// yaml-cpp ends some of its messages with a piece of the text ("… not defined: hunter2"), which may
// be a password that happens to begin with a character that means something in YAML.
std::string without_content(const std::string& message) {
  return message.substr(0, message.find(": "));
}

Node::Pointer parse(const std::string& text, const std::string& file,
                    std::vector<Problem>& problems) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  Builder builder(file, problems);
  if (!parser.HandleNextDocument(builder)) return std::make_shared<Node>();
  std::vector<Problem> ignored;
  Builder second(file, ignored);
  if (parser.HandleNextDocument(second)) {
    YAML::Mark mark;
    mark.line = second.root() ? second.root()->line - 1 : 0;
    throw YAML::Exception(mark, "a second document begins; expected only one (remove the \"---\")");
  }
  return builder.root() ? builder.root() : std::make_shared<Node>();
}

}  // namespace

const Node::Entry* Node::find(std::string_view key) const {
  const auto it =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return it == entries.end() ? nullptr : &*it;
}

std::string found_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::scalar: return quote(node.text);
    case Node::Kind::list: return "a list";
    case Node::Kind::mapping: return "a mapping";
  }
  return {};
}

Node::Pointer yaml_tree_from(const std::string& text, const std::string& file,
                             std::vector<Problem>& problems) {
  try {
    return parse(text, file, problems);
  } catch (const YAML::Exception& e) {
    problems.clear();  // what was found up to there may be an effect of the same mistake
    problems.push_back(
        {file, line_of(e.mark), "", "", "cannot be read as YAML: " + without_content(e.msg)});
  } catch (const std::exception&) {
    problems.clear();
    problems.push_back({file, 0, "", "", "cannot be read as YAML"});
  }
  return nullptr;
}

}  // namespace config
