// An append-only array in blocks: growing never copies, and old blocks can be let go while indices stay.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace sparsescope::viz {

template <typename T, std::size_t kBlock = 512>
class Chunked {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // First index that is still there.
  std::size_t first() const { return first_block_ * kBlock; }

  void push_back(const T& value) {
    if (size_ % kBlock == 0) blocks_.push_back(std::make_unique<std::array<T, kBlock>>());
    (*blocks_[size_ / kBlock])[size_ % kBlock] = value;
    ++size_;
  }
  const T& operator[](std::size_t i) const { return (*blocks_[i / kBlock])[i % kBlock]; }
  T& operator[](std::size_t i) { return (*blocks_[i / kBlock])[i % kBlock]; }
  const T& back() const { return (*this)[size_ - 1]; }
  T& back() { return (*this)[size_ - 1]; }

  // Frees whole blocks before index `end`; returns the bytes freed. The last block stays.
  std::size_t release_before(std::size_t end) {
    std::size_t freed = 0;
    while ((first_block_ + 1) * kBlock <= end && (first_block_ + 1) * kBlock < size_) {
      blocks_[first_block_++].reset();
      freed += sizeof(std::array<T, kBlock>);
    }
    return freed;
  }
  std::size_t bytes() const { return (blocks_.size() - first_block_) * sizeof(std::array<T, kBlock>); }

 private:
  std::vector<std::unique_ptr<std::array<T, kBlock>>> blocks_;
  std::size_t size_ = 0;
  std::size_t first_block_ = 0;
};

}  // namespace sparsescope::viz
