<?php
declare(strict_types=1);

namespace Lab;

/** The one Redis that holds fragments, sessions and the queue, as small hosts have it. */
final class Redis
{
    public static function connect(): \Redis
    {
        $redis = new \Redis();
        $redis->connect(getenv('REDIS_HOST') ?: 'redis', 6379, 2.0);
        $redis->auth((string) getenv('REDIS_PASSWORD'));

        return $redis;
    }
}
