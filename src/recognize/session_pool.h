// recognize: networks ready to run, one for each thread that asks at the same time. In: a way to make one. Out: one on loan.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "net/classifier.h"

namespace actio::recognize {

// Threads: safe. What was lent comes back with the loan's end, and is lent again.
class SessionPool {
 public:
  using Make = std::function<std::unique_ptr<net::Classifier>()>;

  explicit SessionPool(Make make) : make_(std::move(make)) {}

  class Loan {
   public:
    Loan(SessionPool& pool, std::unique_ptr<net::Classifier> session) : pool_(pool), session_(std::move(session)) {}
    ~Loan() { pool_.give_back(std::move(session_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    net::Classifier& operator*() const { return *session_; }
    net::Classifier* operator->() const { return session_.get(); }

   private:
    SessionPool& pool_;
    std::unique_ptr<net::Classifier> session_;
  };

  // Throws: as making one does.
  Loan take() {
    {
      const std::scoped_lock lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<net::Classifier> session = std::move(idle_.back());
        idle_.pop_back();
        return {*this, std::move(session)};
      }
    }
    return {*this, make_()};
  }

 private:
  void give_back(std::unique_ptr<net::Classifier> session) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(session));
  }

  Make make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<net::Classifier>> idle_;
};

}  // namespace actio::recognize
