import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Verifies x-ion-signature in Java 17 or newer. See docs/VERIFYING.md for when you need it.
 *
 * <p>The signed text holds nested values as Python's str() writes them, so this reads JSON as Python does (integers of
 * any size, 1.0 apart from 1, keys in their order) and writes it as Python 3.11 does.
 */
final class Ion {
    /** uri: as it was registered, letter by letter. header gives a header's value, or null. */
    static boolean verify(String secret, String uri, UnaryOperator<String> header, byte[] body) {
        byte[] expected;
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
            Mac mac = Mac.getInstance("HmacSHA1");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA1"));
            expected = mac.doFinal(utf8(message(uri, dataOf(header.apply("content-type"), text))));
        } catch (CharacterCodingException | RuntimeException noJson) {
            return false; // or nothing that Python could have signed
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
        byte[] signature = Base64.getEncoder().encode(expected);
        boolean genuine = false;
        for (String name : List.of("x-ion-signature", "x-ion-signature-previous")) {
            String given = header.apply(name);
            genuine |= given != null && MessageDigest.isEqual(signature, given.getBytes(StandardCharsets.UTF_8));
        }
        return genuine;
    }

    /** One JSON text: its repr in Python, with the text of a string and the members of an object. */
    private record Value(String repr, String text, Map<String, Value> members) {}

    /** The members of data, out of whatever the delivery travelled in. */
    private static Map<String, Value> dataOf(String contentType, String body) {
        if ("application/x-www-form-urlencoded".equals(contentType)) {
            Matcher payload = Pattern.compile("(?:^|&)payload=([^&]*)").matcher(body);
            body = payload.find() ? URLDecoder.decode(payload.group(1), StandardCharsets.UTF_8) : "";
        }
        Map<String, Value> event = new Ion(body).whole().members;
        if ("application/cloudevents+json".equals(contentType)) {
            event = event.get("data").members;
        }
        return event.get("data").members;
    }

    private static String message(String uri, Map<String, Value> data) {
        return data.entrySet().stream()
            .filter(member -> !member.getValue().repr.equals("None"))
            .sorted((a, b) -> Arrays.compareUnsigned(bytes(a.getKey()), bytes(b.getKey()))) // by code point
            .map(member -> member.getKey() + ":"
                + (member.getValue().text == null ? member.getValue().repr : member.getValue().text))
            .collect(Collectors.joining("&", uri + "?", ""));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Half a surrogate pair has no UTF-8, and is refused. */
    private static byte[] utf8(String text) throws CharacterCodingException {
        ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(java.nio.CharBuffer.wrap(text));
        return Arrays.copyOf(bytes.array(), bytes.limit());
    }

    private static final Pattern NUMBER =
        Pattern.compile("(-?)(0|[1-9][0-9]*+)((?:\\.[0-9]++)?(?:[eE][-+]?[0-9]++)?)");
    private static final Map<String, String> WORDS = Map.of("true", "True", "false", "False", "null", "None",
        "NaN", "nan", "Infinity", "inf", "-Infinity", "-inf");

    private final String json;
    private int at;

    private Ion(String json) {
        this.json = json;
    }

    private Value whole() {
        Value value = value();
        skip();
        if (at < json.length()) {
            throw noJson();
        }
        return value;
    }

    private IllegalArgumentException noJson() {
        return new IllegalArgumentException("no JSON at " + at);
    }

    private void skip() {
        while (at < json.length() && " \t\n\r".indexOf(json.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean take(char mark) {
        skip();
        boolean there = at < json.length() && json.charAt(at) == mark;
        at += there ? 1 : 0;
        return there;
    }

    private void expect(char mark) {
        if (!take(mark)) {
            throw noJson();
        }
    }

    /** Whether another item follows, or the closing bracket. */
    private boolean another(char closing) {
        boolean more = take(',');
        if (!more) {
            expect(closing);
        }
        return more;
    }

    private Value value() {
        skip();
        if (take('"')) {
            String text = string();
            return new Value(quote(text), text, null);
        }
        if (take('[')) {
            List<String> items = new ArrayList<>();
            for (boolean more = !take(']'); more; more = another(']')) {
                items.add(value().repr);
            }
            return new Value("[" + String.join(", ", items) + "]", null, null);
        }
        if (take('{')) {
            // A repeated key keeps its first place and its last value, as in Python.
            Map<String, Value> members = new LinkedHashMap<>();
            for (boolean more = !take('}'); more; more = another('}')) {
                expect('"');
                String key = string();
                expect(':');
                members.put(key, value());
            }
            String shown = members.entrySet().stream()
                .map(member -> quote(member.getKey()) + ": " + member.getValue().repr)
                .collect(Collectors.joining(", ", "{", "}"));
            return new Value(shown, null, members);
        }
        for (Map.Entry<String, String> word : WORDS.entrySet()) {
            if (json.startsWith(word.getKey(), at)) {
                at += word.getKey().length();
                return new Value(word.getValue(), null, null);
            }
        }
        Matcher number = NUMBER.matcher(json).region(at, json.length());
        if (!number.lookingAt()) {
            throw noJson();
        }
        at = number.end();
        String whole = number.group(2).equals("0") ? "0" : number.group(1) + number.group(2);
        String more = number.group(3);
        return new Value(more.isEmpty() ? whole : number.group(1) + decimal(number.group(2) + more), null, null);
    }

    private String string() {
        StringBuilder text = new StringBuilder();
        for (char letter = json.charAt(at++); letter != '"'; letter = json.charAt(at++)) {
            if (letter != '\\') {
                text.append(letter);
                continue;
            }
            char mark = json.charAt(at++);
            int escape = "\"\\/bfnrt".indexOf(mark);
            if (escape >= 0) {
                text.append("\"\\/\b\f\n\r\t".charAt(escape));
            } else if (mark == 'u') {
                text.append((char) Integer.parseInt(json.substring(at, at + 4), 16));
                at += 4;
            } else {
                throw noJson();
            }
        }
        return text.toString();
    }

    private static String decimal(String text) {
        double number = Double.parseDouble(text);
        if (Double.isInfinite(number)) {
            return "inf";
        }
        if (number == 0) {
            return "0.0";
        }
        BigDecimal shortest = shortest(number).stripTrailingZeros();
        String digits = shortest.unscaledValue().toString();
        int exponent = digits.length() - 1 - shortest.scale();
        if (exponent < -4 || exponent >= 16) {
            String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
            return String.format("%se%s%02d", mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
        }
        String plain = shortest.toPlainString();
        return plain.contains(".") ? plain : plain + ".0";
    }

    /** The fewest digits that are this number again. Double.toString gives too many at times, before Java 19. */
    private static BigDecimal shortest(double number) {
        BigDecimal exact = new BigDecimal(number);
        for (int digits = 1; digits <= 17; digits++) {
            // Next to a power of two the nearest may not do, and a farther one does.
            for (RoundingMode mode : List.of(RoundingMode.HALF_EVEN, RoundingMode.UP, RoundingMode.DOWN)) {
                BigDecimal rounded = exact.round(new MathContext(digits, mode));
                if (rounded.doubleValue() == number) {
                    return rounded;
                }
            }
        }
        throw new IllegalStateException(exact.toString()); // 17 always do
    }

    private static String quote(String text) {
        char mark = text.contains("'") && !text.contains("\"") ? '"' : '\'';
        StringBuilder out = new StringBuilder().append(mark);
        text.codePoints().forEach(code -> {
            if (code == mark || code == '\\') {
                out.append('\\').append((char) code);
            } else if (code == '\t') {
                out.append("\\t");
            } else if (code == '\n') {
                out.append("\\n");
            } else if (code == '\r') {
                out.append("\\r");
            } else if (code < 128 ? code > 31 && code < 127 : printable(code)) {
                out.appendCodePoint(code);
            } else {
                out.append(String.format(code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code));
            }
        });
        return out.append(mark).toString();
    }

    /** Above ASCII, Python 3.11 prints a character if an odd number of edges stands at it or before it. */
    private static boolean printable(int code) {
        int place = Arrays.binarySearch(EDGES, code);
        return (place >= 0 ? place + 1 : -place - 1) % 2 == 1;
    }

    /** Where Unicode 14 turns from not printable to printable and back: distances in base 36, from 127 on. */
    private static final int[] EDGES = edges("""
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
        """);

    private static int[] edges(String distances) {
        int[] edges = Arrays.stream(distances.trim().split("\\s+")).mapToInt(text -> Integer.parseInt(text, 36)).toArray();
        edges[0] += 127;
        Arrays.parallelPrefix(edges, Integer::sum);
        return edges;
    }
}
