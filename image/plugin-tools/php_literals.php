<?php
// Values of PHP's literals, from their tokens: what PHP itself makes of a number or a string in a source, without running
// it.

namespace moodle_lifecycle\plugins;

/** Value of T_LNUMBER or T_DNUMBER. */
function number_value(string $text): int|float {
    $text = str_replace('_', '', strtolower($text));
    if (preg_match('/^0(x[0-9a-f]+|b[01]+|o?[0-7]+)$/', $text, $found)) {
        return match ($found[1][0]) {
            'x' => hexdec($text),
            'b' => bindec($text),
            default => octdec(ltrim($found[1], 'o')),
        };
    }
    return $text + 0;
}

/** Value of T_CONSTANT_ENCAPSED_STRING. */
function string_value(string $text): string {
    $text = ltrim($text, 'bB');
    $inner = substr($text, 1, -1);
    return $text[0] === "'" ? strtr($inner, ['\\\\' => '\\', "\\'" => "'"]) : unescaped($inner, '"');
}

/** What stands between double quotes, or in a heredoc, where a quote needs no backslash ($quote is empty). */
function unescaped(string $text, string $quote): string {
    $simple = ['n' => "\n", 't' => "\t", 'r' => "\r", 'v' => "\v", 'e' => "\e", 'f' => "\f", '\\' => '\\', '$' => '$'];
    return (string) preg_replace_callback('/\\\\(?:u\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))/s',
        static fn(array $found): string => match (true) {
            ($found[1] ?? '') !== '' => mb_chr((int) hexdec($found[1]), 'UTF-8') ?: $found[0],
            ($found[2] ?? '') !== '' => chr((int) hexdec($found[2])),
            ($found[3] ?? '') !== '' => chr(octdec($found[3]) & 0xff),
            isset($simple[$found[4]]) => $simple[$found[4]],
            $quote !== '' && $found[4] === $quote => $quote,
            default => $found[0],
        }, $text);
}

/** Text of a heredoc or nowdoc without the indentation of its end and the last line break. */
function without_indentation(string $text, string $end): string {
    $indentation = strlen($end) - strlen(ltrim($end, " \t"));
    $text = (string) preg_replace('/\r?\n$/D', '', $text);
    return $indentation === 0 ? $text : (string) preg_replace("/^[ \t]{1,$indentation}/m", '', $text);
}
