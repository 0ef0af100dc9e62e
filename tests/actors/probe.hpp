// Stands where another actor would: it keeps every message that it gets until the test takes it,
// and answers nothing.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <any>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::testing {

class probe {
 public:
  explicit probe(caf::actor_system& system);

  const caf::actor& handle() const { return handle_; }
  template <class Typed>
  Typed as() const {
    return caf::actor_cast<Typed>(handle_);
  }

  /// The oldest message of this type, where there is one; others stay.
  template <class Message>
  std::optional<Message> take() {
    const auto found = std::find_if(mail_->begin(), mail_->end(), holds<Message>);
    if (found == mail_->end()) return std::nullopt;
    auto out = std::any_cast<Message>(std::move(*found));
    mail_->erase(found);
    return out;
  }

  /// The same where there must be one: without it the test fails.
  template <class Message>
  Message get() {
    auto found = take<Message>();
    EXPECT_TRUE(found) << "no such message came";
    return found ? std::move(*found) : Message{};
  }

  /// All messages of this type, oldest first; others stay.
  template <class Message>
  std::vector<Message> take_all() {
    std::vector<Message> out;
    while (auto next = take<Message>()) out.push_back(std::move(*next));
    return out;
  }

  template <class Message>
  bool has() const {
    return std::any_of(mail_->begin(), mail_->end(), holds<Message>);
  }

  /// Is the newest message of this type?
  template <class Message>
  bool last_is() const {
    return !mail_->empty() && holds<Message>(mail_->back());
  }

  bool empty() const { return mail_->empty(); }

 private:
  using mail = std::deque<std::any>;

  template <class Message>
  static bool holds(const std::any& message) {
    return message.type() == typeid(Message);
  }

  std::shared_ptr<mail> mail_;
  caf::actor handle_;
};

} // namespace troupe::testing
