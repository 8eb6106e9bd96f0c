// The rights of an ordinary user, also where the tests run as root.
#pragma once

#include <unistd.h>

namespace actio::testing {

// While it lives the process may do what "nobody" may. Without effect where it is an ordinary user's already.
class OrdinaryUser {
 public:
  OrdinaryUser() : before_(::geteuid()) {
    if (before_ == 0) changed_ = ::seteuid(65534) == 0;
  }
  ~OrdinaryUser() {
    if (changed_ && ::seteuid(before_) != 0) ::_exit(1);
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;

  bool is_one() const { return ::geteuid() != 0; }

 private:
  uid_t before_;
  bool changed_ = false;
};

}  // namespace actio::testing
