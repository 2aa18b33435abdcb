<?php
// Verifies x-ion-signature in PHP 8.1 or newer. See docs/VERIFYING.md for when you need it.
//
// The signed text holds nested values as Python's str() writes them, so this reads JSON as Python does
// (integers of any size, 1.0 apart from 1, keys in their order) and writes it as Python 3.11 does.

/** $uri: as it was registered, letter by letter. $headers: names in lower case. */
function verify_ion(string $secret, string $uri, array $headers, string $body): bool
{
    try {
        $message = Ion::message($uri, Ion::data($headers['content-type'] ?? '', $body));
    } catch (UnexpectedValueException) {
        return false; // no JSON, or nothing that Python could have signed
    }
    $expected = base64_encode(hash_hmac('sha1', $message, $secret, true));
    $genuine = false;
    foreach (['x-ion-signature', 'x-ion-signature-previous'] as $name) {
        $genuine = hash_equals($expected, $headers[$name] ?? '') || $genuine;
    }
    return $genuine;
}

/** One JSON text: its repr in Python, with the code points of a string and the members of an object. */
final class IonValue
{
    public function __construct(
        public readonly string $repr,
        public readonly ?array $text = null,
        public readonly ?array $members = null, // quoted key => [code points of the key, value]
    ) {
    }
}

final class Ion
{
    private const WORDS = ['true' => 'True', 'false' => 'False', 'null' => 'None', 'NaN' => 'nan',
        'Infinity' => 'inf', '-Infinity' => '-inf'];
    private const ESCAPES = ['"' => 34, '\\' => 92, '/' => 47, 'b' => 8, 'f' => 12, 'n' => 10, 'r' => 13, 't' => 9];

    private int $at = 0;

    private function __construct(private readonly string $json)
    {
    }

    /** The members of `data`, out of whatever the delivery travelled in. */
    public static function data(string $type, string $body): array
    {
        if ($type === 'application/x-www-form-urlencoded') {
            if (!preg_match('/(?:^|&)payload=([^&]*)/', $body, $payload)) {
                throw new UnexpectedValueException('no payload');
            }
            $body = urldecode($payload[1]);
        }
        $reader = new self($body);
        $event = $reader->value();
        if ($reader->next() !== '') {
            throw new UnexpectedValueException('no JSON');
        }
        $event = $type === 'application/cloudevents+json' ? self::find($event) : $event;
        return self::find($event)->members ?? throw new UnexpectedValueException('no object');
    }

    private static function find(IonValue $event): IonValue
    {
        return $event->members["'data'"][1] ?? throw new UnexpectedValueException('no data');
    }

    public static function message(string $uri, array $data): string
    {
        $signed = [];
        foreach ($data as [$key, $value]) {
            if ($value->repr !== 'None') {
                $text = $value->text === null ? $value->repr : self::utf8($value->text);
                $signed[] = [self::utf8($key), $text];
            }
        }
        usort($signed, fn($a, $b) => strcmp($a[0], $b[0])); // by code point, which is the order of UTF-8
        return $uri . '?' . implode('&', array_map(fn($member) => implode(':', $member), $signed));
    }

    /** Half a surrogate pair has no UTF-8, and is refused. */
    private static function utf8(array $codes): string
    {
        $text = '';
        foreach ($codes as $code) {
            $text .= self::letter($code) ?? throw new UnexpectedValueException('half a surrogate pair');
        }
        return $text;
    }

    private static function letter(int $code): ?string
    {
        return match (true) {
            $code < 0x80 => chr($code),
            $code < 0x800 => chr(0xc0 | $code >> 6) . chr(0x80 | $code & 63),
            $code >= 0xd800 && $code < 0xe000 => null,
            $code < 0x10000 => chr(0xe0 | $code >> 12) . chr(0x80 | $code >> 6 & 63) . chr(0x80 | $code & 63),
            default => chr(0xf0 | $code >> 18) . chr(0x80 | $code >> 12 & 63) . chr(0x80 | $code >> 6 & 63)
                . chr(0x80 | $code & 63),
        };
    }

    /** What comes after white space; '' at the end. */
    private function next(): string
    {
        $this->at += strspn($this->json, " \t\n\r", $this->at);
        return $this->json[$this->at] ?? '';
    }

    private function take(string $mark): bool
    {
        $there = $this->next() === $mark;
        $this->at += $there ? 1 : 0;
        return $there;
    }

    private function expect(string $mark): void
    {
        if (!$this->take($mark)) {
            throw new UnexpectedValueException("no JSON at {$this->at}");
        }
    }

    /** Whether another item follows, or the closing bracket. */
    private function another(string $closing): bool
    {
        $more = $this->take(',');
        if (!$more) {
            $this->expect($closing);
        }
        return $more;
    }

    private function value(): IonValue
    {
        if ($this->next() === '"') {
            $text = $this->text();
            return new IonValue(self::quote($text), $text);
        }
        if ($this->take('[')) {
            $items = [];
            for ($more = !$this->take(']'); $more; $more = $this->another(']')) {
                $items[] = $this->value()->repr;
            }
            return new IonValue('[' . implode(', ', $items) . ']');
        }
        if ($this->take('{')) {
            // A repeated key keeps its first place and its last value, as in Python.
            $members = [];
            for ($more = !$this->take('}'); $more; $more = $this->another('}')) {
                $this->next();
                $key = $this->text();
                $this->expect(':');
                $members[self::quote($key)] = [$key, $this->value()];
            }
            $shown = array_map(fn($key, $member) => "$key: {$member[1]->repr}", array_keys($members), $members);
            return new IonValue('{' . implode(', ', $shown) . '}', null, $members);
        }
        if (preg_match('/true|false|null|NaN|-?Infinity/A', $this->json, $word, 0, $this->at)) {
            $this->at += strlen($word[0]);
            return new IonValue(self::WORDS[$word[0]]);
        }
        $number = '/(-?)(0|[1-9][0-9]*+)(?:\.([0-9]++))?(?:[eE]([-+]?[0-9]++))?/A';
        if (!preg_match($number, $this->json, $found, 0, $this->at)) {
            throw new UnexpectedValueException("no JSON at {$this->at}");
        }
        [$all, $sign, $whole, $fraction, $power] = $found + ['', '', '', '', ''];
        $this->at += strlen($all);
        if ($fraction . $power === '') {
            return new IonValue($whole === '0' ? '0' : $all);
        }
        // With the point in front, since an exponent is not read beyond 20,000.
        $digits = ltrim($whole . $fraction, '0');
        $places = max(min((int) $power, PHP_INT_MAX >> 1), -PHP_INT_MAX >> 1) + strlen($digits) - strlen($fraction);
        return new IonValue($sign . self::decimal((float) ('0.' . rtrim($digits, '0') . "0e$places")));
    }

    /** A string's code points: halves of surrogate pairs may stand in it. */
    private function text(): array
    {
        $pattern = '/"((?:[^"\\\\]++|\\\\.)*+)"/As';
        if (!preg_match($pattern, $this->json, $found, 0, $this->at)) {
            throw new UnexpectedValueException("no JSON at {$this->at}");
        }
        $this->at += strlen($found[0]);
        $pieces = '/[^\\\\]|\\\\u([dD][89abAB][0-9a-fA-F]{2})\\\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\\\u([0-9a-fA-F]{4})|\\\\(.)/us';
        if (preg_match_all($pieces, $found[1], $letters, PREG_SET_ORDER) === false) {
            throw new UnexpectedValueException('no UTF-8');
        }
        return array_map(fn($letter) => match (count($letter)) {
            1 => self::code($letter[0]),
            3 => 0x10000 + ((hexdec($letter[1]) - 0xd800) << 10) + hexdec($letter[2]) - 0xdc00,
            4 => (int) hexdec($letter[3]),
            default => self::ESCAPES[$letter[4]] ?? throw new UnexpectedValueException('no JSON'),
        }, $letters);
    }

    private static function code(string $letter): int
    {
        $bytes = array_map('ord', str_split($letter));
        return match (count($bytes)) {
            1 => $bytes[0],
            2 => ($bytes[0] & 31) << 6 | $bytes[1] & 63,
            3 => ($bytes[0] & 15) << 12 | ($bytes[1] & 63) << 6 | $bytes[2] & 63,
            default => ($bytes[0] & 7) << 18 | ($bytes[1] & 63) << 12 | ($bytes[2] & 63) << 6 | $bytes[3] & 63,
        };
    }

    private static function decimal(float $number): string
    {
        if (is_infinite($number)) {
            return 'inf';
        }
        if ($number == 0) {
            return '0.0';
        }
        // The fewest digits that are this number again: PHP writes them by this setting.
        $before = ini_set('serialize_precision', '-1');
        $shortest = json_encode($number);
        ini_set('serialize_precision', $before);
        preg_match('/^([0-9]+)(?:\.([0-9]+))?(?:e([-+][0-9]+))?$/', $shortest, $parts);
        $all = $parts[1] . ($parts[2] ?? '');
        $exponent = strlen($parts[1]) - 1 + (int) ($parts[3] ?? 0) - strspn($all, '0');
        $digits = trim($all, '0');
        if ($exponent < -4 || $exponent >= 16) {
            $mantissa = strlen($digits) === 1 ? $digits : $digits[0] . '.' . substr($digits, 1);
            return sprintf('%se%s%02d', $mantissa, $exponent < 0 ? '-' : '+', abs($exponent));
        }
        if ($exponent < 0) {
            return '0.' . str_repeat('0', -$exponent - 1) . $digits;
        }
        $digits = str_pad($digits, $exponent + 2, '0');
        return substr($digits, 0, $exponent + 1) . '.' . substr($digits, $exponent + 1);
    }

    private static function quote(array $codes): string
    {
        $mark = in_array(39, $codes, true) && !in_array(34, $codes, true) ? 34 : 39;
        $out = chr($mark);
        foreach ($codes as $code) {
            $out .= match (true) {
                $code === $mark || $code === 92 => '\\' . chr($code),
                $code === 9 => '\\t',
                $code === 10 => '\\n',
                $code === 13 => '\\r',
                $code < 128 ? $code > 31 && $code < 127 : self::printable($code) => self::letter($code),
                $code < 0x100 => sprintf('\\x%02x', $code),
                $code < 0x10000 => sprintf('\\u%04x', $code),
                default => sprintf('\\U%08x', $code),
            };
        }
        return $out . chr($mark);
    }

    /** Above ASCII, Python 3.11 prints a character if an odd number of edges stands at it or before it. */
    private static function printable(int $code): bool
    {
        static $edges = null;
        if ($edges === null) {
            $edge = 127;
            foreach (preg_split('/\s+/', trim(self::DISTANCES)) as $distance) {
                $edges[] = $edge += intval($distance, 36);
            }
        }
        [$low, $high] = [0, count($edges)];
        while ($low < $high) {
            $middle = $low + $high >> 1;
            if ($edges[$middle] <= $code) {
                $low = $middle + 1;
            } else {
                $high = $middle;
            }
        }
        return $low % 2 === 1;
    }

    // Where Unicode 14 turns from not printable to printable and back: distances in base 36, from 127 on.
    private const DISTANCES = '
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
';
}
