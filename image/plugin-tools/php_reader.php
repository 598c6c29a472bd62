<?php
// Reads PHP that only sets variables, as version.php of a plugin does, without running any of it: tokens in, values out.
// Knows the operators, conditions and literals of PHP, and no loops; of functions only a few that answer and do nothing.
// Whatever else stands in the way of a value is refused with its line, never guessed.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/php_literals.php');

/** PHP that cannot be read without running it, or that PHP itself would stop at. */
final class unreadable_php extends \RuntimeException {
}

final class php_reader {
    private const DEEPEST = 100;
    private const LONGEST_STRING = 1 << 20;
    private const LONGEST_FILE = 1 << 20;
    private const MOST_FILES = 10;
    /** Of operators with two sides, how tightly each binds. The left side first, but for ?? and **. */
    private const BINDING = ['or' => 1, 'xor' => 2, 'and' => 3, '??' => 6, '||' => 7, '&&' => 8, '|' => 9, '^' => 10, '&' => 11,
        '==' => 12, '!=' => 12, '<>' => 12, '===' => 12, '!==' => 12, '<=>' => 12, '<' => 13, '<=' => 13, '>' => 13, '>=' => 13,
        '.' => 14, '<<' => 15, '>>' => 15, '+' => 16, '-' => 16, '*' => 17, '/' => 17, '%' => 17, '**' => 20];
    private const CONDITIONAL = 5;
    private const UNARY = 18;

    /** @var \PhpToken[] that mean something */
    private array $tokens = [];
    private int $at = 0;
    private int $depth = 0;
    /** Whether what is read happens: not in a branch that is not taken, nor after the file's end by `return`. */
    private bool $live = true;
    private bool $returned = false;
    private bool $namespaced = false;
    private string $file = '';
    private int $files = 0;

    /**
     * @param array<string, mixed> $variables what is set before; afterwards, what the file set
     * @param array<string, mixed> $constants beside PHP's own
     * @param array<string, object> $globals what the file may fetch by `global`
     * @param string $folder of the plugin, from which the file may include others
     * @param string $place where that folder will lie: what the file takes for its own path
     */
    public function __construct(
        public array $variables,
        private array $constants,
        private readonly array $globals,
        private readonly string $folder,
        private readonly string $place,
    ) {
    }

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

    private function refuse(string $why): never {
        $line = ($this->tokens[$this->at] ?? end($this->tokens) ?: null)?->line ?? 1;
        throw new unreadable_php(basename($this->file) . " line $line: $why");
    }

    private function is(int|string|array $kind): bool {
        return ($this->tokens[$this->at] ?? null)?->is($kind) ?? false;
    }

    /** Goes past the next token when it is of this kind. */
    private function take(int|string|array $kind): ?\PhpToken {
        return $this->is($kind) ? $this->tokens[$this->at++] : null;
    }

    private function expect(int|string|array $kind): \PhpToken {
        return $this->take($kind) ?? $this->refuse('“' . ($this->tokens[$this->at]->text ?? 'the end')
            . '” is more than a plugin’s version is read from.');
    }

    /** Reads something that happens only if $happens. */
    private function only_if(bool $happens, callable $read): mixed {
        $before = $this->live;
        $this->live = $before && $happens;
        $value = $read();
        // A `return` inside ends all that follows.
        $this->live = $before && !$this->returned;
        return $value;
    }

    private function deeper(callable $read): mixed {
        if (++$this->depth > self::DEEPEST) {
            $this->refuse('it is nested too deeply to be read.');
        }
        try {
            return $read();
        } finally {
            $this->depth--;
        }
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

    /** An expression whose operators all bind at least so tightly. */
    private function expression(int $least = 0): mixed {
        return $this->deeper(function () use ($least): mixed {
            $left = $this->unary();
            while (isset($this->tokens[$this->at])) {
                $operator = strtolower($this->tokens[$this->at]->text);
                if ($operator === '?' && self::CONDITIONAL >= $least) {
                    $this->at++;
                    $left = $this->choice($left);
                    continue;
                }
                $binding = self::BINDING[$operator] ?? null;
                if ($binding === null || $binding < $least) {
                    break;
                }
                $this->at++;
                $left = $this->combine($operator, $left, $binding);
            }
            return $left;
        });
    }

    private function choice(mixed $condition): mixed {
        if ($this->take(':')) {
            $other = $this->only_if(!$condition, fn() => $this->expression(self::CONDITIONAL + 1));
            return $condition ?: $other;
        }
        $yes = $this->only_if((bool) $condition, fn() => $this->expression());
        $this->expect(':');
        $no = $this->only_if(!$condition, fn() => $this->expression(self::CONDITIONAL + 1));
        return $condition ? $yes : $no;
    }

    private function combine(string $operator, mixed $left, int $binding): mixed {
        $right = match ($operator) {
            '&&', 'and' => $this->only_if((bool) $left, fn() => $this->expression($binding + 1)),
            '||', 'or' => $this->only_if(!$left, fn() => $this->expression($binding + 1)),
            '??' => $this->only_if($left === null, fn() => $this->expression($binding)),
            '**' => $this->expression($binding),
            default => $this->expression($binding + 1),
        };
        if (!$this->live) {
            return null;
        }
        return match ($operator) {
            'or', '||' => $left || $right,
            'xor' => $left xor $right,
            'and', '&&' => $left && $right,
            '??' => $left ?? $right,
            '|' => $left | $right,
            '^' => $left ^ $right,
            '&' => $left & $right,
            '==' => $left == $right,
            '!=', '<>' => $left != $right,
            '===' => $left === $right,
            '!==' => $left !== $right,
            '<=>' => $left <=> $right,
            '<' => $left < $right,
            '<=' => $left <= $right,
            '>' => $left > $right,
            '>=' => $left >= $right,
            '.' => $this->joined($left, $right),
            '<<' => $left << $right,
            '>>' => $left >> $right,
            '+' => $left + $right,
            '-' => $left - $right,
            '*' => $left * $right,
            '/' => $left / $right,
            '%' => $left % $right,
            '**' => $left ** $right,
        };
    }

    private function joined(mixed $left, mixed $right): string {
        $text = "$left$right";
        return strlen($text) <= self::LONGEST_STRING ? $text : $this->refuse('its text is too long to be read.');
    }

    private function unary(): mixed {
        $token = $this->tokens[$this->at] ?? $this->refuse('a value is missing.');
        $operand = fn(int $least = self::UNARY) => $this->expression($least);
        $cast = [T_INT_CAST => 'int', T_DOUBLE_CAST => 'float', T_STRING_CAST => 'string', T_BOOL_CAST => 'bool',
            T_ARRAY_CAST => 'array', T_OBJECT_CAST => 'object'][$token->id] ?? null;
        if ($cast !== null) {
            $this->at++;
            $value = $operand();
            if ($this->live) {
                settype($value, $cast);
            }
            return $value;
        }
        if ($this->take('!')) {
            return !$operand();
        }
        if ($this->take('-')) {
            $value = $operand();
            return $this->live ? -$value : null;
        }
        if ($this->take('+')) {
            $value = $operand();
            return $this->live ? +$value : null;
        }
        if ($this->take('@')) {
            return $operand();
        }
        if ($this->take([T_INCLUDE, T_INCLUDE_ONCE, T_REQUIRE, T_REQUIRE_ONCE])) {
            return $this->include($operand(0));
        }
        if ($this->take(T_EXIT)) {
            return $this->exit();
        }
        if ($this->take(T_THROW)) {
            $this->live && $this->refuse('it throws an exception here, and Moodle stops.');
            return $this->expression();
        }
        if ($this->take(T_CLONE)) {
            $value = $operand();
            return $this->live ? clone $value : null;
        }
        if ($this->take(T_PRINT)) {
            $this->expression();
            return 1;
        }
        return $this->operand();
    }

    /** Reads a file of the plugin in its place. */
    private function include(mixed $path): bool {
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

    /** Where a path of the plugin's place is now. */
    private function here(string $path): string {
        return str_starts_with("$path/", "$this->place/") ? $this->folder . substr($path, strlen($this->place)) : $path;
    }

    /** Path of the file that is read, as it will be. */
    private function own_path(): string {
        return $this->place . substr($this->file, strlen($this->folder));
    }

    private function exit(): null {
        if ($this->take('(') && !$this->take(')')) {
            $this->expression();
            $this->expect(')');
        }
        if ($this->live) {
            $this->refuse('it ends PHP here, and Moodle with it.');
        }
        return null;
    }

    private function operand(): mixed {
        $token = $this->tokens[$this->at];
        switch (true) {
            case $token->is(T_VARIABLE):
                return $this->variable();
            case $token->is([T_LNUMBER, T_DNUMBER]):
                $this->at++;
                return number_value($token->text);
            case $token->is([T_CONSTANT_ENCAPSED_STRING, '"', T_START_HEREDOC]):
                return $this->steps_into($this->string());
            case $token->is(['[', T_ARRAY]):
                return $this->steps_into($this->array());
            case $token->is(T_NEW):
                return $this->new();
            case $token->is([T_ISSET, T_EMPTY]):
                return $this->asked();
            case $token->is(T_DIR):
                $this->at++;
                return dirname($this->own_path());
            case $token->is(T_FILE):
                $this->at++;
                return $this->own_path();
            case $token->is(T_LINE):
                $this->at++;
                return $token->line;
            case $token->is([T_STRING, T_NAME_FULLY_QUALIFIED]):
                return $this->name();
            case $token->is('('):
                $this->at++;
                $value = $this->expression();
                $this->expect(')');
                return $this->steps_into($value);
            default:
                $this->refuse("“{$token->text}” is more than a plugin’s version is read from.");
        }
    }

    /** A variable, or what it holds at some property or index; or the value that it is given. */
    private function variable(): mixed {
        $line = $this->at;
        $path = $this->path();
        $operator = $this->tokens[$this->at]->text ?? '';
        if (!in_array($operator, ['=', '.=', '+=', '-=', '*=', '/=', '%=', '??='], true)) {
            return $this->live ? $this->value_at($path) : null;
        }
        $this->at++;
        // A variable that stands for another is the same object for all that a plugin's version does.
        $this->take([T_AMPERSAND_NOT_FOLLOWED_BY_VAR_OR_VARARG, T_AMPERSAND_FOLLOWED_BY_VAR_OR_VARARG]);
        if ($operator === '??=') {
            $now = $this->live ? $this->value_at($path) : null;
            $value = $this->only_if($now === null, fn() => $this->expression(self::CONDITIONAL));
            $value = $now ?? $value;
        } else if ($operator === '=') {
            $value = $this->expression(self::CONDITIONAL);
        } else {
            $now = $this->live ? $this->value_at($path) : null;
            $value = $this->expression(self::CONDITIONAL);
            $value = !$this->live ? null : match ($operator) {
                '.=' => $this->joined($now, $value),
                '+=' => $now + $value,
                '-=' => $now - $value,
                '*=' => $now * $value,
                '/=' => $now / $value,
                '%=' => $now % $value,
            };
        }
        if ($this->live) {
            if (isset($this->globals[$path[0][1]])) {
                $this->at = $line;
                $this->refuse('it changes a variable of Moodle itself.');
            }
            $slot = &$this->slot($path);
            $slot = $value;
        }
        return $value;
    }

    /** @return list<array{string, mixed}> the variable, then each step: a property, an index, or the end of a list */
    private function path(): array {
        $path = [['variable', substr($this->expect(T_VARIABLE)->text, 1)]];
        while ($step = $this->step()) {
            $path[] = $step;
        }
        return $path;
    }

    /** @return array{string, mixed}|null */
    private function step(): ?array {
        if ($this->take([T_OBJECT_OPERATOR, T_NULLSAFE_OBJECT_OPERATOR])) {
            if ($this->take('{')) {
                $name = $this->expression();
                $this->expect('}');
            } else {
                $name = $this->expect(T_STRING)->text;
            }
            if ($this->is('(')) {
                $this->refuse("it calls a method, $name().");
            }
            return ['property', $name];
        }
        if ($this->take('[')) {
            if ($this->take(']')) {
                return ['end', null];
            }
            $index = $this->expression();
            $this->expect(']');
            return ['index', $index];
        }
        return null;
    }

    /** @param list<array{string, mixed}> $path */
    private function value_at(array $path, bool $asks = false): mixed {
        $variable = $path[0][1];
        $global = $this->globals[$variable] ?? null;
        if ($global !== null && count($path) > 1 && ($this->variables[$variable] ?? null) !== $global) {
            // Moodle reads the file at several moments, and not always where this variable is at hand.
            $this->refuse("it uses \$$variable without “global \$$variable”, which Moodle reads differently from moment to moment.");
        }
        if ($global !== null && isset($path[1]) && !property_exists($global, (string) $path[1][1])) {
            $this->refuse("it asks for “{$path[1][1]}” of the site, which a build cannot know.");
        }
        if (!array_key_exists($variable, $this->variables) && !$asks) {
            $this->refuse("it uses the variable \$$variable, which nothing before it has set.");
        }
        return $this->walk($this->variables[$variable] ?? null, array_slice($path, 1));
    }

    private function walk(mixed $value, array $steps): mixed {
        foreach ($steps as [$kind, $name]) {
            $value = match ($kind) {
                'property' => is_object($value) ? ($value->$name ?? null) : null,
                'index' => is_array($value) || is_string($value) ? ($value[$name] ?? null) : null,
                default => $this->refuse('[] without an index has no value.'),
            };
        }
        return $value;
    }

    /** What follows a value that is no variable. */
    private function steps_into(mixed $value): mixed {
        while ($step = $this->step()) {
            $value = $this->live ? $this->walk($value, [$step]) : null;
        }
        return $value;
    }

    private function &slot(array $path): mixed {
        $slot = &$this->variables[$path[0][1]];
        foreach (array_slice($path, 1) as [$kind, $name]) {
            if ($kind === 'property') {
                if (!is_object($slot)) {
                    $this->refuse("it sets the property $name of something that is no object, where PHP stops.");
                }
                $slot = &$slot->$name;
            } else {
                if ($slot !== null && !is_array($slot)) {
                    $this->refuse('it sets an index of something that is no array.');
                }
                if ($kind === 'end') {
                    $slot = &$slot[];
                } else {
                    $slot = &$slot[$name];
                }
            }
        }
        return $slot;
    }

    private function string(): string {
        if ($token = $this->take(T_CONSTANT_ENCAPSED_STRING)) {
            return string_value($token->text);
        }
        $start = $this->tokens[$this->at++];
        $raw = str_contains($start->text, "'");
        $quote = $start->text === '"' ? '"' : '';
        $end = $quote === '"' ? '"' : T_END_HEREDOC;
        // Indentation is taken away before variables get their values.
        $parts = [];
        while (!$this->is($end)) {
            if ($token = $this->take(T_ENCAPSED_AND_WHITESPACE)) {
                $parts[] = $token->text;
            } else if ($this->is(T_VARIABLE)) {
                $parts[] = [$this->interpolated()];
            } else if ($this->take(T_CURLY_OPEN)) {
                $parts[] = [$this->expression()];
                $this->expect('}');
            } else {
                $this->refuse('its text holds more than plain variables.');
            }
        }
        $last = $this->tokens[$this->at++]->text;
        if ($quote === '' && $parts !== []) {
            $mark = "\0";
            $pieces = explode($mark, without_indentation(
                implode('', array_map(static fn($part) => is_array($part) ? $mark : $part, $parts)), $last));
            $values = array_values(array_filter($parts, 'is_array'));
            $parts = [];
            foreach ($pieces as $index => $piece) {
                $parts[] = $piece;
                if (isset($values[$index])) {
                    $parts[] = $values[$index];
                }
            }
        }
        $text = '';
        foreach ($parts as $part) {
            $text = $this->joined($text, is_array($part) ? ($this->live ? $part[0] : '') : ($raw ? $part : unescaped($part, $quote)));
        }
        return $text;
    }

    /** “$name”, “$name->property” or “$name[index]” inside a text. */
    private function interpolated(): mixed {
        $path = [['variable', substr($this->expect(T_VARIABLE)->text, 1)]];
        if ($this->take(T_OBJECT_OPERATOR)) {
            $path[] = ['property', $this->expect(T_STRING)->text];
        } else if ($this->take('[')) {
            $path[] = ['index', $this->expect([T_STRING, T_NUM_STRING])->text];
            $this->expect(']');
        }
        return $this->live ? $this->value_at($path) : null;
    }

    private function array(): array {
        $end = $this->take(T_ARRAY) ? ')' : ']';
        $this->expect($end === ')' ? '(' : '[');
        $array = [];
        while (!$this->take($end)) {
            if ($this->take(T_ELLIPSIS)) {
                $array = [...$array, ...($this->live ? $this->expression() : [$this->expression()])];
            } else {
                $value = $this->expression();
                if ($this->take(T_DOUBLE_ARROW)) {
                    $key = $value;
                    $value = $this->expression();
                    if ($this->live) {
                        $array[$key] = $value;
                    }
                } else {
                    $array[] = $value;
                }
            }
            if (!$this->is($end)) {
                $this->expect(',');
            }
        }
        return $array;
    }

    private function new(): \stdClass {
        $this->at++;
        $name = $this->expect([T_STRING, T_NAME_FULLY_QUALIFIED])->text;
        if ($this->live && (strtolower(ltrim($name, '\\')) !== 'stdclass' || ($this->namespaced && $name[0] !== '\\'))) {
            $this->refuse("it makes an object of the class $name.");
        }
        if ($this->take('(')) {
            $this->arguments();
        }
        return new \stdClass();
    }

    /** isset(…) or empty(…): neither minds what is not there. */
    private function asked(): bool {
        $isset = $this->tokens[$this->at++]->is(T_ISSET);
        $this->expect('(');
        $all = true;
        do {
            if ($this->is(T_VARIABLE)) {
                $path = $this->path();
                $value = $this->live ? $this->value_at($path, true) : null;
            } else {
                $value = $this->expression();
            }
            $all = $all && $value !== null;
        } while ($this->take(',') && !$this->is(')'));
        $this->expect(')');
        return $isset ? $all : empty($value);
    }

    /** A constant, or a call of a function. */
    private function name(): mixed {
        $name = ltrim($this->tokens[$this->at++]->text, '\\');
        if ($this->take('(')) {
            $arguments = $this->arguments();
            return $this->live ? $this->call(strtolower($name), $arguments) : null;
        }
        if ($this->is(T_DOUBLE_COLON)) {
            $this->live && $this->refuse("it uses the class $name.");
            while (!$this->is([';', ',', ')', ']', T_CLOSE_TAG])) {
                if ($this->take('(')) {
                    $this->arguments();
                } else {
                    $this->at++;
                }
            }
            return null;
        }
        return $this->live ? $this->constant($name) : null;
    }

    /** What stands in the parentheses of a call. */
    private function arguments(): array {
        $arguments = [];
        while (!$this->take(')')) {
            $arguments[] = $this->expression();
            if (!$this->is(')')) {
                $this->expect(',');
            }
        }
        return $arguments;
    }

    private function constant(string $name): mixed {
        $known = ['true' => true, 'false' => false, 'null' => null];
        if (array_key_exists(strtolower($name), $known)) {
            return $known[strtolower($name)];
        }
        if (array_key_exists($name, $this->constants)) {
            return $this->constants[$name];
        }
        $ofphp = array_merge(...array_values(array_diff_key(get_defined_constants(true), ['user' => 0])));
        return array_key_exists($name, $ofphp) ? $ofphp[$name]
            : $this->refuse("there is no constant $name, where PHP stops.");
    }

    private function define(string $name, mixed $value): bool {
        if ($this->live) {
            $this->constants += [$name => $value];
        }
        return true;
    }

    private function is_defined(string $name): bool {
        try {
            $this->constant($name);
            return true;
        } catch (unreadable_php) {
            return false;
        }
    }

    private function call(string $name, array $arguments): mixed {
        return match ($name) {
            'defined' => $this->is_defined((string) ($arguments[0] ?? '')),
            'define' => $this->define((string) ($arguments[0] ?? ''), $arguments[1] ?? null),
            'dirname' => dirname((string) $arguments[0], $arguments[1] ?? 1),
            'file_exists', 'is_file', 'is_dir', 'is_readable' => $name($this->here((string) $arguments[0])),
            'is_object', 'is_array', 'is_string', 'is_int', 'is_float', 'is_bool', 'is_null', 'is_numeric', 'intval', 'floatval',
            'strval', 'count', 'property_exists', 'array_merge', 'array_key_exists', 'in_array', 'version_compare', 'phpversion',
            'substr', 'strpos', 'strlen', 'trim', 'rtrim', 'ltrim', 'strtolower', 'strtoupper', 'min', 'max', 'round', 'floor', 'ceil',
            'error_reporting', 'ini_set' => $this->harmless($name, $arguments),
            default => $this->refuse("it calls the function $name(), which is not run here."),
        };
    }

    /** Functions of PHP that only answer; of those that set something, nothing happens. */
    private function harmless(string $name, array $arguments): mixed {
        return in_array($name, ['error_reporting', 'ini_set'], true) || ($name === 'phpversion' && $arguments !== [])
            ? false : $name(...$arguments);
    }
}
