@0xd1c6e1a7f3b24c58;

interface Echo {
  call @0 (payload :Data) -> (payload :Data);
}
