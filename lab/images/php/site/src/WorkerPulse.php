<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\EventDispatcher\EventSubscriberInterface;
use Symfony\Component\Messenger\Event\WorkerRunningEvent;

/** The health check looks at this file's time. */
final class WorkerPulse implements EventSubscriberInterface
{
    public static function getSubscribedEvents(): array
    {
        return [WorkerRunningEvent::class => 'onRunning'];
    }

    public function onRunning(): void
    {
        touch('/tmp/worker-alive');
    }
}
