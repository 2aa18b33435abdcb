using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

// Verifies x-ion-signature in .NET 6 or newer. See docs/VERIFYING.md for when you need it.
//
// The signed text holds nested values as Python's str() writes them, so this reads JSON as Python does
// (integers of any size, 1.0 apart from 1, keys in their order) and writes it as Python 3.11 does.
public sealed class Ion
{
    static readonly Encoding Utf8 = new UTF8Encoding(false, true);

    // uri: as it was registered, letter by letter. header gives a header's value, or null.
    public static bool Verify(string secret, string uri, Func<string, string> header, byte[] body)
    {
        byte[] message;
        try
        {
            // Half a surrogate pair has no UTF-8, and is refused.
            message = Utf8.GetBytes(Message(uri, DataOf(header("content-type"), Utf8.GetString(body))));
        }
        catch (Exception error) when (error is FormatException || error is ArgumentException)
        {
            return false; // no JSON, or nothing that Python could have signed
        }
        string expected;
        using (var mac = new HMACSHA1(Encoding.UTF8.GetBytes(secret)))
        {
            expected = Convert.ToBase64String(mac.ComputeHash(message));
        }
        bool genuine = false;
        foreach (string name in new[] { "x-ion-signature", "x-ion-signature-previous" })
        {
            byte[] given = Encoding.UTF8.GetBytes(header(name) ?? "");
            genuine |= CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), given);
        }
        return genuine;
    }

    // One JSON text: its repr in Python, with the text of a string and the members of an object.
    sealed class Value
    {
        public string Repr, Text;
        public List<KeyValuePair<string, Value>> Members;

        public Value Find(string name)
        {
            int place = Members == null ? -1 : Members.FindIndex(member => member.Key == name);
            return place < 0 ? throw new FormatException("no " + name) : Members[place].Value;
        }
    }

    // The members of data, out of whatever the delivery travelled in.
    static List<KeyValuePair<string, Value>> DataOf(string contentType, string body)
    {
        if (contentType == "application/x-www-form-urlencoded")
        {
            body = WebUtility.UrlDecode(Regex.Match(body, "(?:^|&)payload=([^&]*)").Groups[1].Value);
        }
        Value whole = new Ion(body).Whole();
        Value ev = contentType == "application/cloudevents+json" ? whole.Find("data") : whole;
        return ev.Find("data").Members ?? throw new FormatException("no object");
    }

    static string Message(string uri, List<KeyValuePair<string, Value>> data)
    {
        var signed = data.Where(member => member.Value.Repr != "None").ToList();
        signed.Sort((a, b) => ByCodePoint(a.Key, b.Key));
        return uri + "?" + string.Join("&", signed.Select(m => m.Key + ":" + (m.Value.Text ?? m.Value.Repr)));
    }

    static int ByCodePoint(string a, string b)
    {
        byte[] left = Utf8.GetBytes(a), right = Utf8.GetBytes(b);
        for (int place = 0; place < Math.Min(left.Length, right.Length); place++)
        {
            if (left[place] != right[place]) return left[place] - right[place];
        }
        return left.Length - right.Length;
    }

    static readonly Regex Number = new Regex(@"\G(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([-+]?[0-9]+))?");
    static readonly Regex Word = new Regex(@"\G(true|false|null|NaN|-?Infinity)");
    static readonly Dictionary<string, string> Words = new Dictionary<string, string>
    {
        ["true"] = "True", ["false"] = "False", ["null"] = "None",
        ["NaN"] = "nan", ["Infinity"] = "inf", ["-Infinity"] = "-inf",
    };

    readonly string json;
    int at;

    Ion(string json)
    {
        this.json = json;
    }

    Value Whole()
    {
        Value value = Read();
        return Next() == '\0' && at == json.Length ? value : throw NoJson();
    }

    FormatException NoJson()
    {
        return new FormatException("no JSON at " + at);
    }

    // What comes after white space; '\0' at the end.
    char Next()
    {
        while (at < json.Length && " \t\n\r".IndexOf(json[at]) >= 0) at++;
        return at < json.Length ? json[at] : '\0';
    }

    bool Take(char mark)
    {
        bool there = Next() == mark;
        if (there) at++;
        return there;
    }

    void Expect(char mark)
    {
        if (!Take(mark)) throw NoJson();
    }

    // Whether another item follows, or the closing bracket.
    bool Another(char closing)
    {
        bool more = Take(',');
        if (!more) Expect(closing);
        return more;
    }

    Value Read()
    {
        if (Take('"'))
        {
            string text = String();
            return new Value { Repr = Quote(text), Text = text };
        }
        if (Take('['))
        {
            var items = new List<string>();
            for (bool more = !Take(']'); more; more = Another(']')) items.Add(Read().Repr);
            return new Value { Repr = "[" + string.Join(", ", items) + "]" };
        }
        if (Take('{')) return Object();
        Match word = Word.Match(json, at);
        if (word.Success)
        {
            at += word.Length;
            return new Value { Repr = Words[word.Value] };
        }
        Match number = Number.Match(json, at);
        if (!number.Success) throw NoJson();
        at += number.Length;
        string sign = number.Groups[1].Value, whole = number.Groups[2].Value;
        string fraction = number.Groups[3].Value, power = number.Groups[4].Value;
        if (fraction + power != "") return new Value { Repr = sign + Float(Parse(whole, fraction, power)) };
        return new Value { Repr = whole == "0" ? "0" : sign + whole };
    }

    Value Object()
    {
        var members = new List<KeyValuePair<string, Value>>();
        var places = new Dictionary<string, int>(); // a repeated key keeps its first place and its last value
        for (bool more = !Take('}'); more; more = Another('}'))
        {
            Expect('"');
            string key = String();
            Expect(':');
            var member = new KeyValuePair<string, Value>(key, Read());
            if (places.TryGetValue(key, out int place))
            {
                members[place] = member;
                continue;
            }
            places[key] = members.Count;
            members.Add(member);
        }
        var shown = members.Select(member => Quote(member.Key) + ": " + member.Value.Repr);
        return new Value { Repr = "{" + string.Join(", ", shown) + "}", Members = members };
    }

    string String()
    {
        var text = new StringBuilder();
        for (char letter = Letter(); letter != '"'; letter = Letter())
        {
            if (letter != '\\')
            {
                text.Append(letter);
                continue;
            }
            char mark = Letter();
            int escape = "\"\\/bfnrt".IndexOf(mark);
            if (escape >= 0)
            {
                text.Append("\"\\/\b\f\n\r\t"[escape]);
            }
            else if (mark == 'u' && at + 4 <= json.Length)
            {
                text.Append((char)ushort.Parse(json.Substring(at, 4), NumberStyles.AllowHexSpecifier));
                at += 4;
            }
            else
            {
                throw NoJson();
            }
        }
        return text.ToString();
    }

    char Letter()
    {
        return at < json.Length ? json[at++] : throw NoJson();
    }

    // The nearest number. double.Parse gives another at times: before .NET Core 3.0, and in Mono.
    static double Parse(string whole, string fraction, string power)
    {
        string all = (whole + fraction).TrimStart('0');
        if (all == "") return 0;
        // number = 0.digits * 10^places; more digits than 800 count by being there
        long places = power == "" ? 0 : (long)BigInteger.Max(BigInteger.Min(BigInteger.Parse(power), Far), -Far);
        places += all.Length - fraction.Length;
        if (places > 400) return double.PositiveInfinity;
        if (places < -400) return 0;
        string digits = all.Length > 800 ? all.Substring(0, 800) + "1" : all;
        int tens = (int)places - digits.Length;
        BigInteger over = BigInteger.Parse(digits) * BigInteger.Pow(10, Math.Max(tens, 0));
        BigInteger under = BigInteger.Pow(10, Math.Max(-tens, 0));
        // number = mantissa * 2^twos, with 53 bits, or fewer where twos is as low as it goes
        int twos = -1074;
        BigInteger scaled = over << 1074, limit = under << 53;
        while (scaled >= limit)
        {
            limit <<= 1;
            twos++;
        }
        under <<= twos + 1074;
        BigInteger left;
        BigInteger mantissa = BigInteger.DivRem(scaled, under, out left);
        int half = (2 * left).CompareTo(under);
        if (half > 0 || half == 0 && !mantissa.IsEven) mantissa += 1;
        // The bits of a double count on: a mantissa that became too long is the next exponent's first.
        BigInteger bits = mantissa + ((BigInteger)(twos + 1074) << 52);
        return bits >= 0x7ffL << 52 ? double.PositiveInfinity : BitConverter.Int64BitsToDouble((long)bits);
    }

    static readonly BigInteger Far = 1L << 40;

    static string Float(double number)
    {
        if (double.IsInfinity(number)) return "inf";
        if (number == 0) return "0.0";
        int exponent;
        string digits = Shortest(number, out exponent);
        if (exponent < -4 || exponent >= 16)
        {
            string mantissa = digits.Length == 1 ? digits : digits[0] + "." + digits.Substring(1);
            return mantissa + "e" + (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
        }
        if (exponent < 0) return "0." + new string('0', -exponent - 1) + digits;
        digits = digits.PadRight(exponent + 2, '0');
        return digits.Substring(0, exponent + 1) + "." + digits.Substring(exponent + 1);
    }

    // The fewest digits that are this number again, of those the nearest, and the power of ten of the first digit.
    static string Shortest(double number, out int exponent)
    {
        long bits = BitConverter.DoubleToInt64Bits(number);
        int power = (int)(bits >> 52);
        long fraction = bits & ((1L << 52) - 1);
        // number = mantissa * 2^power, in quarters of its last binary place; so are the ways to its neighbours' middles.
        BigInteger mantissa = 4 * (power == 0 ? fraction : fraction | 1L << 52);
        BigInteger up = 2, down = fraction == 0 && power > 1 ? 1 : 2;
        power = Math.Max(power, 1) - 1077;
        bool even = fraction % 2 == 0; // then the middles themselves are this number too
        for (int count = 1; ; count++)
        {
            // digits = floor(number / 10^place), with so many digits
            int place = (int)Math.Floor(Math.Log10(number)) - count + 1;
            while (Scaled(mantissa, power, place).Item1 >= BigInteger.Pow(10, count)) place++;
            while (Scaled(mantissa, power, place).Item1 < BigInteger.Pow(10, count - 1)) place--;
            Tuple<BigInteger, BigInteger, BigInteger, BigInteger> scaled = Scaled(mantissa, power, place);
            BigInteger digits = scaled.Item1, below = scaled.Item2, whole = scaled.Item3, quarter = scaled.Item4;
            BigInteger above = whole - below;
            bool lower = even ? below <= down * quarter : below < down * quarter;
            bool upper = even ? above <= up * quarter : above < up * quarter;
            if (!lower && !upper) continue;
            bool nearer = below < above || below == above && digits.IsEven;
            string chosen = (lower && (nearer || !upper) ? digits : digits + 1).ToString(CultureInfo.InvariantCulture);
            exponent = place + chosen.Length - 1;
            return chosen.TrimEnd('0');
        }
    }

    // mantissa * 2^power / 10^place: the quotient, what is left of it, the divisor, and 2^power on the same scale.
    static Tuple<BigInteger, BigInteger, BigInteger, BigInteger> Scaled(BigInteger mantissa, int power, int place)
    {
        BigInteger unit = BigInteger.Pow(2, Math.Max(power, 0)) * BigInteger.Pow(10, Math.Max(-place, 0));
        BigInteger divisor = BigInteger.Pow(2, Math.Max(-power, 0)) * BigInteger.Pow(10, Math.Max(place, 0));
        BigInteger left;
        BigInteger quotient = BigInteger.DivRem(mantissa * unit, divisor, out left);
        return Tuple.Create(quotient, left, divisor, unit);
    }

    static string Quote(string text)
    {
        char mark = text.Contains("'") && !text.Contains("\"") ? '"' : '\'';
        var quoted = new StringBuilder().Append(mark);
        for (int place = 0; place < text.Length; place++)
        {
            int code = text[place];
            if (char.IsHighSurrogate(text[place]) && place + 1 < text.Length && char.IsLowSurrogate(text[place + 1]))
            {
                code = char.ConvertToUtf32(text[place], text[++place]);
            }
            if (code == mark || code == '\\') quoted.Append('\\').Append((char)code);
            else if (code == '\t') quoted.Append("\\t");
            else if (code == '\n') quoted.Append("\\n");
            else if (code == '\r') quoted.Append("\\r");
            else if (code < 128 ? code > 31 && code < 127 : Printable(code)) quoted.Append(char.ConvertFromUtf32(code));
            else if (code < 0x100) quoted.Append("\\x").Append(code.ToString("x2"));
            else if (code < 0x10000) quoted.Append("\\u").Append(code.ToString("x4"));
            else quoted.Append("\\U").Append(code.ToString("x8"));
        }
        return quoted.Append(mark).ToString();
    }

    // Above ASCII, Python 3.11 prints a character if an odd number of edges stands at it or before it.
    static bool Printable(int code)
    {
        int place = Array.BinarySearch(Edges, code);
        return (place >= 0 ? place + 1 : ~place) % 2 == 1;
    }

    static int[] EdgesOf(string distances)
    {
        int edge = 127;
        string digits = "0123456789abcdefghijklmnopqrstuvwxyz";
        return distances.Split((char[])null, StringSplitOptions.RemoveEmptyEntries)
            .Select(text => edge += text.Aggregate(0, (sum, digit) => sum * 36 + digits.IndexOf(digit)))
            .ToArray();
    }

    // Where Unicode 14 turns from not printable to printable and back: distances in base 36, from 127 on.
    static readonly int[] Edges = EdgesOf(@"
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
");
}
