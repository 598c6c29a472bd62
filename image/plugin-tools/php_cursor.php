<?php
// The tokens of a source, and how far they have been read.

namespace moodle_lifecycle\plugins;

/** PHP that cannot be read without running it, or that PHP itself would stop at. */
final class unreadable_php extends \RuntimeException {
}

abstract class php_cursor {
    private const DEEPEST = 100;

    /** @var \PhpToken[] that mean something */
    protected array $tokens = [];
    protected int $at = 0;
    protected int $depth = 0;
    /** Whether what is read happens: not in a branch that is not taken, nor after the file's end by `return`. */
    protected bool $live = true;
    protected bool $returned = false;
    /** Path of the file that is read. */
    protected string $file = '';

    protected function refuse(string $why): never {
        $line = ($this->tokens[$this->at] ?? end($this->tokens) ?: null)?->line ?? 1;
        throw new unreadable_php(basename($this->file) . " line $line: $why");
    }

    protected function is(int|string|array $kind): bool {
        return ($this->tokens[$this->at] ?? null)?->is($kind) ?? false;
    }

    /** Goes past the next token when it is of this kind. */
    protected function take(int|string|array $kind): ?\PhpToken {
        return $this->is($kind) ? $this->tokens[$this->at++] : null;
    }

    protected function expect(int|string|array $kind): \PhpToken {
        return $this->take($kind) ?? $this->refuse('“' . ($this->tokens[$this->at]->text ?? 'the end')
            . '” is more than a plugin’s version is read from.');
    }

    /** Reads something that happens only if $happens. */
    protected function only_if(bool $happens, callable $read): mixed {
        $before = $this->live;
        $this->live = $before && $happens;
        $value = $read();
        // A `return` inside ends all that follows.
        $this->live = $before && !$this->returned;
        return $value;
    }

    protected function deeper(callable $read): mixed {
        if (++$this->depth > self::DEEPEST) {
            $this->refuse('it is nested too deeply to be read.');
        }
        try {
            return $read();
        } finally {
            $this->depth--;
        }
    }
}
