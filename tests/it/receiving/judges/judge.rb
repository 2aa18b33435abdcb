# Gives the verdicts of the page's Ruby functions; what comes and goes is as in judge.go.
require_relative "verify"
require_relative "ion"

$stdin.each_line(chomp: true) do |line|
  fields = line.split("\t", -1).map { |field| field.unpack1("m0") }
  secret, uri, body = fields
  uri.force_encoding("UTF-8")
  headers = fields.drop(3).each_slice(2).to_h
  puts [verify_standard(secret, headers, body), verify_ion(secret, uri, headers, body)].map { |told| told ? 1 : 0 }.join(" ")
end
