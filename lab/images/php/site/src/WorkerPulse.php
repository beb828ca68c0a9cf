<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\EventDispatcher\EventSubscriberInterface;
use Symfony\Component\Messenger\Event\WorkerMessageReceivedEvent;
use Symfony\Component\Messenger\Event\WorkerRunningEvent;

/** The health check looks at this file's time; each message begins with a database that is there. */
final class WorkerPulse implements EventSubscriberInterface
{
    public static function getSubscribedEvents(): array
    {
        return [WorkerRunningEvent::class => 'onRunning', WorkerMessageReceivedEvent::class => 'onReceived'];
    }

    public function onRunning(): void
    {
        touch('/tmp/worker-alive');
    }

    public function onReceived(): void
    {
        Database::refresh();
    }
}
