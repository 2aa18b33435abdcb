# Verifies x-ion-signature in Ruby 3.1 or newer. See docs/VERIFYING.md for when you need it.
#
# The signed text holds nested values as Python's str() writes them, so this reads JSON as Python does
# (integers of any size, 1.0 apart from 1, keys in their order) and writes it as Python 3.11 does.
require "openssl"
require "strscan"
require "uri"

# uri: as it was registered, letter by letter. headers: names in lower case.
def verify_ion(secret, uri, headers, body)
  message = Ion.message(uri, Ion.data(headers["content-type"], body.dup.force_encoding("UTF-8")))
  expected = [OpenSSL::HMAC.digest("SHA1", secret, message)].pack("m0")
  %w[x-ion-signature x-ion-signature-previous].map { |name| OpenSSL.secure_compare(expected, headers[name].to_s) }.any?
rescue Ion::Refused
  false # no JSON, or nothing that Python could have signed
end

class Ion
  Refused = Class.new(StandardError)
  # One JSON text: its repr in Python, with the code points of a string and the members of an object.
  Value = Struct.new(:repr, :text, :members)

  WORDS = { "true" => "True", "false" => "False", "null" => "None",
            "NaN" => "nan", "Infinity" => "inf", "-Infinity" => "-inf" }.freeze
  ESCAPES = { '"' => 34, "\\" => 92, "/" => 47, "b" => 8, "f" => 12, "n" => 10, "r" => 13, "t" => 9 }.freeze

  # The members of `data`, out of whatever the delivery travelled in.
  def self.data(type, body)
    raise Refused unless body.valid_encoding?
    body = URI.decode_www_form(body).to_h["payload"].to_s if type == "application/x-www-form-urlencoded"
    event = new(body).whole
    event = find(event) if type == "application/cloudevents+json"
    find(event).members or raise Refused
  end

  def self.find(event)
    event.members&.fetch("data".codepoints, nil) or raise Refused
  end

  def self.message(uri, data)
    signed = data.reject { |_, value| value.repr == "None" }
                 .map { |key, value| [utf8(key), value.text ? utf8(value.text) : value.repr] }
    "#{uri}?#{signed.sort.map { |member| member.join(":") }.join("&")}" # by code point, which is the order of UTF-8
  end

  # Half a surrogate pair has no UTF-8, and is refused.
  def self.utf8(codes)
    raise Refused if codes.any? { |code| code.between?(0xd800, 0xdfff) }
    codes.pack("U*")
  end

  def initialize(json)
    @json = StringScanner.new(json)
  end

  def whole
    found = value
    @json.skip(/[ \t\n\r]+/)
    @json.eos? ? found : raise(Refused)
  end

  private

  def take(mark)
    @json.skip(/[ \t\n\r]*#{Regexp.escape(mark)}/)
  end

  # Whether another item follows, or the closing bracket.
  def another(closing)
    return true if take(",")
    take(closing) ? false : raise(Refused)
  end

  def value
    @json.skip(/[ \t\n\r]+/)
    if @json.check(/"/)
      text = string
      Value.new(quote(text), text)
    elsif take("[")
      Value.new("[#{list.join(", ")}]")
    elsif take("{")
      members = object
      Value.new("{#{members.map { |key, value| "#{quote(key)}: #{value.repr}" }.join(", ")}}", nil, members)
    elsif (word = @json.scan(/true|false|null|NaN|-?Infinity/))
      Value.new(WORDS[word])
    else
      Value.new(number)
    end
  end

  def list
    items = []
    more = !take("]")
    while more
      items << value.repr
      more = another("]")
    end
    items
  end

  # A repeated key keeps its first place and its last value, as in Python.
  def object
    members = {}
    more = !take("}")
    while more
      @json.skip(/[ \t\n\r]+/)
      key = string
      take(":") or raise Refused
      members[key] = value
      more = another("}")
    end
    members
  end

  # Its code points: halves of surrogate pairs may stand in it.
  def string
    @json.scan(/"((?:[^"\\]|\\.)*)"/m) or raise Refused
    pieces = /\\u(d[89ab]\h\h)\\u(d[c-f]\h\h)|\\u(\h{4})|\\(.)|([^\\])/im
    @json[1].scan(pieces).map do |high, low, unit, escape, letter|
      if high then 0x10000 + ((high.hex - 0xd800) << 10) + low.hex - 0xdc00
      elsif unit then unit.hex
      elsif escape then ESCAPES[escape] or raise Refused
      else letter.ord
      end
    end
  end

  def number
    @json.scan(/(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:e([-+]?[0-9]+))?/i) or raise Refused
    sign, whole, fraction, power = @json[1], @json[2], @json[3], @json[4]
    return whole == "0" ? "0" : sign + whole unless fraction || power
    # With the point in front, since an exponent is not read beyond some size.
    digits = "#{whole}#{fraction}".sub(/\A0+/, "")
    places = power.to_i + digits.size - fraction.to_s.size
    sign + decimal("0.#{digits.sub(/0+\z/, "")}0e#{places.clamp(-9999, 9999)}".to_f)
  end

  def decimal(number)
    return "inf" if number.infinite?
    return "0.0" if number.zero?
    # Ruby, too, writes the fewest digits that are this number again.
    before, after, power = number.to_s.match(/\A(\d+)\.(\d+)(?:e([-+]\d+))?\z/).captures
    all = before + after
    exponent = before.size - 1 + power.to_i - all[/\A0*/].size
    digits = all.gsub(/\A0+|0+\z/, "")
    if exponent < -4 || exponent >= 16
      mantissa = digits.size == 1 ? digits : "#{digits[0]}.#{digits[1..]}"
      return format("%se%s%02d", mantissa, exponent.negative? ? "-" : "+", exponent.abs)
    end
    return "0.#{"0" * (-exponent - 1)}#{digits}" if exponent.negative?
    digits = digits.ljust(exponent + 2, "0")
    "#{digits[0..exponent]}.#{digits[exponent + 1..]}"
  end

  def quote(codes)
    mark = codes.include?(39) && !codes.include?(34) ? 34 : 39
    inner = codes.map do |code|
      if code == mark || code == 92 then "\\#{code.chr}"
      elsif code == 9 then "\\t"
      elsif code == 10 then "\\n"
      elsif code == 13 then "\\r"
      elsif code < 128 ? code.between?(32, 126) : printable?(code) then [code].pack("U")
      elsif code < 0x100 then format("\\x%02x", code)
      elsif code < 0x10000 then format("\\u%04x", code)
      else format("\\U%08x", code)
      end
    end
    "#{mark.chr}#{inner.join}#{mark.chr}"
  end

  # Above ASCII, Python 3.11 prints a character if an odd number of edges stands at it or before it.
  def printable?(code)
    (EDGES.bsearch_index { |edge| edge > code } || EDGES.size).odd?
  end

  # Where Unicode 14 turns from not printable to printable and back: distances in base 36, from 127 on.
  edge = 127
  EDGES = <<~DISTANCES.split.map { |distance| edge += distance.to_i(36) }.freeze
    y c 1 ju 2 6 4 7 1 1 1 k 1 b1 1 12 2 1e 2 3 1 1j 8 r 4 6 h m 1 5c 1 1c 2 1n 2 2t e 1n 2 1d 2 f 1 s 2 1 1
    b 5 v 9 22 1 4h 1 8 2 2 2 m 1 7 1 1 3 4 2 9 2 2 2 4 8 1 4 2 1 5 2 p 2 3 1 6 4 2 2 m 1 7 1 2 1 2 1 2 2 1
    1 5 4 2 2 3 3 1 7 4 1 1 7 h a 3 1 9 1 3 1 m 1 7 1 2 1 5 2 a 1 3 1 3 2 1 f 4 2 c 7 7 1 3 1 8 2 2 2 m 1 7
    1 2 1 5 2 9 2 2 2 3 7 3 4 2 1 5 2 i a 2 1 6 3 3 1 4 3 2 1 1 1 2 3 2 3 3 3 c 4 5 3 3 1 4 2 1 6 1 e l 5 d
    1 3 1 n 1 g 2 9 1 3 1 4 7 2 1 3 2 1 2 4 2 a 7 m 1 3 1 n 1 a 1 5 2 9 1 3 1 4 7 2 6 2 1 4 2 a 1 2 d d 1 3
    1 1f 1 3 1 6 4 g 2 q 1 3 1 i 3 o 1 9 1 1 2 7 3 1 4 6 1 1 1 8 6 a 2 3 c 1m 4 t 11 2 1 1 1 5 1 o 1 1 1 n 2
    5 1 1 1 6 2 a 2 4 w 20 1 10 4 13 1 10 1 f 1 d 11 5i 1 1 5 1 2 ah 1 4 2 7 1 1 1 4 2 15 1 4 2 x 1 4 2 7 1
    1 1 4 2 f 1 1l 1 4 2 1v 2 w 3 q 6 2e 2 6 2 hs 1 s 3 2h 7 m 9 o 9 k c d 1 3 1 2 c 2m 2 a 6 a 6 e 1 b 6 2h
    7 17 5 1y a v 1 c 4 c 4 1 3 16 2 5 b 18 4 q 6 b 3 1q 2 1t 1 t 2 b 6 a 6 e 2 v 1d 25 3 1b 1 38 8 1o 3 f 3
    1o 7 17 2 b 8 17 5 eu 2 6 2 12 2 6 2 8 1 1 1 1 1 1 1 v 2 1h 1 f 1 e 2 6 1 j 2 3 1 9 h o 8 1b h 2 2 r 1 d
    3 x f x f 3w 4 if p b l 1ec 2 w 1 9p 5 19 1 1 5 1 2 1k 7 2 e o 9 7 1 7 1 7 1 7 1 7 1 7 1 7 1 7 1 3i y q
    1 2h c 5y q c 5 1r 1 2e 2 2v 5 17 1 2m 1 2c c 1b 1 mlp 3 1j 9 9o k 54 8 5n 5 2 1 1 1 5 o 1n 3 a 6 1k 8
    1y 8 c 6 38 b u 3 26 1 b 4 x 1 1j 9 e 2 a 2 2v o s a 6 2 6 2 6 9 7 1 7 1 1o 4 3i 2 a 6 8mc c n 4 1d 6is
    a6 2 2y 12 7 c 5 5 q 1 5 1 1 1 2 1 2 1 3h g cd 2 1i 7 1 w 16 6 1f 1 j 1 4 4 5 1 3r 4 5a 3 6 2 6 2 6 2 3
    3 7 1 7 d 2 2 c 1 q 1 j 1 2 1 f 2 e y 3f 5 3 4 19 3 2g 1 d 3 1 1b 1a 3m t 3 1d f s 4 10 9 u 5 17 5 u 1
    11 4 e 16 4e 2 a 6 10 4 10 4 14 8 1g b c 1 f 1 7 1 2 1 b 1 f 1 7 1 2 1v 8n 9 m a 8 o 6 1 16 1 9 1x 6 2 1
    1 18 1 2 3 1 2 n 1 20 8 9 1c j 1 2 5 x 3 r 5 1 1s 1k 4 k 2 1e 1 2 5 8 1 3 1 t 2 3 4 a 7 9 7 1s w 13 4 c
    9 1i 3 t 2 r 5 q 7 4 c 7 28 21 1j 1f d 1f 7 1a 8 a 86 v 1 16 1 3 2 2 26 14 8 16 m q 12 s k n 9 26 4 10 9
    1q 1 5 d p 7 a 6 1h 1 i 8 13 9 2o 1 k b i 1 18 1t 7 1 1 1 4 1 f 1 b 6 1n 5 a 6 4 1 8 2 2 2 m 1 7 1 2 1 5
    1 a 2 2 2 3 2 1 6 1 5 7 2 7 3 5 3v 2k 1 5 u 20 8 a 4m 1i 2 12 y 1x b a 6 d j 1m 6 a 1i r 2 f 4 n 55 1o
    2s 2b c 8 2 1 2 8 1 2 1 u 1 2 2 c 9 a 1y 8 2 1a 2 b r 20 8 2b d 21 7b 9 1 19 1 e a t 3 w 2 m 1 e 21 7 1
    2 1 18 3 1 1 2 1 9 8 a 6 6 1 2 1 11 1 2 1 6 7 a 8m p 53 1 f 1e d pn 2u 33 1 5 b 5g 218 2r d tr 34h g7
    6nt ft 7 v 1 a 4 29 1 a 6 u 2 6 a 1y a a 1 7 1 l 5 j j4 2j 2t 23 4 1l 7 h 1s 5 b 2 e 4qg 8 ye 16 9 6w7 4
    1 7 1 2 1 83 19 3 h 4 8 b0 1s4 2z 5 d 3 9 7 a 2 4 3mo 1a 2 n 9 38 1o 6u a 13 2 22 8 34 l 1y 4a k c 2f 9
    p 3r 2d 1 1z 1 2 2 1 2 2 2 4 1 c 1 1 1 7 1 1t 1 4 2 8 1 7 1 s 1 4 1 5 1 1 3 7 1 9g 2 84 2 ji f 5 1 f uo
    v 69 7 1 h 2 7 1 2 1 5 5x 19 3 e 2 a 4 2 8w v h 1m 5 1 yo 7 1 4 1 2 1 f 1 5h 2 g 15 24 4 a 4 2 lt 1w 24
    1p 5e 4 1 r 1 2 1 1 2 1 1 a 1 4 1 1 1 1 6 1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 1 1 1 1 1 2 1 1 2 4 1 7
    1 4 1 4 1 1 1 a 1 h 5 3 1 5 1 h 1g 2 7i 18 4 2s c f 2 f 1 f 1 11 a 4u 1k t d 18 4 9 7 2 e 6 4a rc 5 g 3
    d 3 38 c 2h 7 c 4 1 f c 4 1k 8 a 6 14 8 u 2 2 26 9g c e 2 5 3 5 3 7 9 t 3 b 5 6 a a 6 8 8 7 9 43 1 1j 11
    a sm wyo w 37d 7 66 2 4g2 e 5rl 2e7 f2 15u 3t7 fcmt 6o
  DISTANCES
end
