<?php
declare(strict_types=1);

namespace Lab;

/** "This changed", on its way to the gateway through the queue. */
final class TellCaches
{
    /**
     * @param list<string> $tags
     * @param list<string> $iris
     */
    public function __construct(
        public string $dialect,
        public string $host,
        public string $path,
        public array $tags,
        public array $iris,
    ) {
    }
}
