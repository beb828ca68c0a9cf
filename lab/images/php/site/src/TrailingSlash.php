<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\EventDispatcher\EventSubscriberInterface;
use Symfony\Component\HttpFoundation\RedirectResponse;
use Symfony\Component\HttpKernel\Event\RequestEvent;
use Symfony\Component\HttpKernel\KernelEvents;

/** /fr/evenements/ is /fr/evenements. Relative, because no layer in here knows the public port. */
final class TrailingSlash implements EventSubscriberInterface
{
    public static function getSubscribedEvents(): array
    {
        return [KernelEvents::REQUEST => ['onRequest', 64]];
    }

    public function onRequest(RequestEvent $event): void
    {
        $request = $event->getRequest();
        $path = $request->getPathInfo();
        // "//host/" would become a redirect to another site.
        $bare = '/' . trim($path, '/');
        if (!$request->isMethodCacheable() || $bare === '/' || $path === $bare || !str_ends_with($path, '/')) {
            return;
        }
        $query = $request->server->get('QUERY_STRING', '');
        $answer = new RedirectResponse($bare . ($query === '' ? '' : "?$query"), 301);
        $answer->headers->set('Cache-Control', 'public, max-age=60, s-maxage=600');
        $answer->headers->set('X-Accel-Expires', '30');
        $event->setResponse($answer);
    }
}
