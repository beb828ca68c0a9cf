<?php
declare(strict_types=1);

require dirname(__DIR__) . '/autoload.php';

use Symfony\Component\HttpFoundation\Request;

$kernel = new Lab\Kernel('prod', false);
$request = Request::createFromGlobals();
$response = $kernel->handle($request);
$response->send();
$kernel->terminate($request, $response);
