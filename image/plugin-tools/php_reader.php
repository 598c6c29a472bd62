<?php
// Reads PHP that only sets variables, as version.php of a plugin does, without running any of it: tokens in, values out.
// Knows the operators, conditions and literals of PHP, and no loops; of functions only a few that answer and do nothing.
// Whatever else stands in the way of a value is refused with its line, never guessed.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/php_expressions.php');

final class php_reader extends php_expressions {
    private const LONGEST_FILE = 1 << 20;
    private const MOST_FILES = 10;

    private int $files = 0;

    /** @throws unreadable_php with file and line */
    public function read(string $file): void {
        $before = [$this->tokens, $this->at, $this->file, $this->namespaced, $this->returned];
        $this->file = $file;
        $this->namespaced = $this->returned = false;
        // What PHP would only warn about, Moodle goes on after.
        set_error_handler(static fn(): bool => true);
        try {
            $this->tokens = $this->tokens_of($file);
            $this->at = 0;
            while (isset($this->tokens[$this->at])) {
                $this->statement();
            }
        } catch (\Error $problem) {
            $this->refuse("PHP stops here: {$problem->getMessage()}");
        } finally {
            restore_error_handler();
            $this->live = $this->live || $this->returned;
            [$this->tokens, $this->at, $this->file, $this->namespaced, $this->returned] = $before;
        }
    }

    /** @return \PhpToken[] */
    private function tokens_of(string $file): array {
        $text = filesize($file) > self::LONGEST_FILE ? false : file_get_contents($file);
        if ($text === false || ++$this->files > self::MOST_FILES) {
            throw new unreadable_php(basename($file) . ' is too large to be read.');
        }
        try {
            $tokens = \PhpToken::tokenize($text, TOKEN_PARSE);
        } catch (\ParseError $problem) {
            throw new unreadable_php(basename($file) . " does not parse: {$problem->getMessage()} on line {$problem->getLine()}.");
        }
        $void = [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT, T_OPEN_TAG, T_INLINE_HTML];
        return array_values(array_filter($tokens, static fn(\PhpToken $token): bool => !$token->is($void)));
    }

    protected function include(mixed $path): bool {
        if (!$this->live) {
            return true;
        }
        $file = is_string($path) && $path !== '' ? realpath($this->here($path[0] === '/' ? $path : "$this->folder/$path")) : false;
        if ($file === false || !is_file($file) || !str_starts_with($file, realpath($this->folder) . '/')) {
            $this->refuse('it includes a file that is not the plugin’s own, or not there.');
        }
        $this->read($file);
        return true;
    }

    private function statement(): void {
        $this->deeper(fn() => match (true) {
            $this->take([';', T_CLOSE_TAG]) !== null => null,
            $this->take('{') !== null => $this->statements_until(['}']),
            $this->take(T_IF) !== null => $this->condition(),
            $this->take(T_RETURN) !== null => $this->end_of_file(),
            $this->take(T_GLOBAL) !== null => $this->global_variables(),
            $this->is([T_USE, T_DECLARE]) => $this->skip_to_end(),
            $this->take(T_NAMESPACE) !== null => $this->name_space(),
            $this->take(T_UNSET) !== null => $this->unset_variables(),
            $this->take(T_CONST) !== null => $this->named_constants(),
            $this->take([T_ECHO, T_PRINT, T_OPEN_TAG_WITH_ECHO]) !== null => $this->listed_values(),
            $this->is_declaration() => $this->skip_declaration(),
            default => $this->expression_statement(),
        });
    }

    /** @param list<int|string> $ends */
    private function statements_until(array $ends): void {
        while (!$this->is($ends)) {
            isset($this->tokens[$this->at]) || $this->refuse('a block does not end.');
            $this->statement();
        }
        if ($this->is('}')) {
            $this->at++;
        }
    }

    private function expression_statement(): void {
        $this->expression();
        $this->end_statement();
    }

    private function end_statement(): void {
        $this->expect([';', T_CLOSE_TAG]);
    }

    private function condition(): void {
        $this->expect('(');
        $taken = (bool) $this->expression();
        $this->expect(')');
        if ($this->take(':')) {
            $this->only_if($taken, fn() => $this->statements_until([T_ELSEIF, T_ELSE, T_ENDIF]));
        } else {
            $this->only_if($taken, fn() => $this->statement());
        }
        if ($this->take(T_ELSEIF)) {
            $this->only_if(!$taken, fn() => $this->condition());
        } else if ($this->take(T_ELSE)) {
            if ($this->take(':')) {
                $this->only_if(!$taken, fn() => $this->statements_until([T_ENDIF]));
            } else {
                $this->only_if(!$taken, fn() => $this->statement());
            }
        }
        if ($this->take(T_ENDIF)) {
            $this->end_statement();
        }
    }

    private function end_of_file(): void {
        if (!$this->is([';', T_CLOSE_TAG])) {
            $this->expression();
        }
        $this->end_statement();
        if ($this->live) {
            $this->returned = true;
            $this->live = false;
        }
    }

    private function name_space(): void {
        $this->namespaced = $this->take([T_STRING, T_NAME_QUALIFIED]) !== null;
        if (!$this->is('{')) {
            $this->end_statement();
        }
    }

    private function global_variables(): void {
        do {
            $name = substr($this->expect(T_VARIABLE)->text, 1);
            if ($this->live && isset($this->globals[$name])) {
                $this->variables[$name] = $this->globals[$name];
            }
        } while ($this->take(','));
        $this->end_statement();
    }

    private function skip_to_end(): void {
        while (!$this->is([';', T_CLOSE_TAG])) {
            $this->at++;
        }
        $this->at++;
    }

    private function unset_variables(): void {
        $this->expect('(');
        while (!$this->take(')')) {
            $path = $this->path();
            if ($this->live) {
                $last = array_pop($path);
                if ($path === []) {
                    unset($this->variables[$last[1]]);
                } else {
                    $holder = &$this->slot($path);
                    if ($last[0] === 'property') {
                        unset($holder->{$last[1]});
                    } else {
                        unset($holder[$last[1]]);
                    }
                    unset($holder);
                }
            }
            $this->take(',');
        }
        $this->end_statement();
    }

    private function named_constants(): void {
        do {
            $name = $this->expect(T_STRING)->text;
            $this->expect('=');
            $this->define($name, $this->expression());
        } while ($this->take(','));
        $this->end_statement();
    }

    private function listed_values(): void {
        do {
            $this->expression();
        } while ($this->take(','));
        $this->end_statement();
    }

    /** A class or a named function: it does nothing where it is declared. */
    private function is_declaration(): bool {
        return $this->is([T_ABSTRACT, T_FINAL, T_CLASS, T_INTERFACE, T_TRAIT])
            || ($this->is(T_FUNCTION) && ($this->tokens[$this->at + 1] ?? null)?->is(T_STRING));
    }

    private function skip_declaration(): void {
        while (!$this->is('{')) {
            $this->at++;
        }
        $open = 0;
        do {
            $open += $this->is(['{', T_CURLY_OPEN, T_DOLLAR_OPEN_CURLY_BRACES]) ? 1 : ($this->is('}') ? -1 : 0);
            $this->at++;
        } while ($open > 0);
    }
}
