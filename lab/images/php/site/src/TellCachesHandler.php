<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\Messenger\Attribute\AsMessageHandler;

#[AsMessageHandler]
final class TellCachesHandler
{
    public function __construct(private Gateway $gateway)
    {
    }

    public function __invoke(TellCaches $message): void
    {
        $this->gateway->tell($message);
    }
}
