<?php
// Gives the verdicts of the page's PHP functions; what comes and goes is as in judge.go.
error_reporting(E_ALL);
set_error_handler(fn($level, $text, $file, $line) => throw new ErrorException($text, 0, $level, $file, $line));
require 'verify.php';
require 'ion.php';

while (($line = fgets(STDIN)) !== false) {
    $fields = array_map('base64_decode', explode("\t", rtrim($line, "\n")));
    [$secret, $uri, $body] = $fields;
    $headers = array_column(array_chunk(array_slice($fields, 3), 2), 1, 0);
    echo (int) verify_standard($secret, $headers, $body), ' ', (int) verify_ion($secret, $uri, $headers, $body), "\n";
}
