namespace cpp thrift_echo

service Echo {
  binary call(1: binary payload)
}
