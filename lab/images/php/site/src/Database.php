<?php
declare(strict_types=1);

namespace Lab;

/** One connection for each process; a worker that lost its own asks for a new one. */
final class Database
{
    private static ?\PDO $connection = null;

    public static function connect(): \PDO
    {
        return self::$connection ??= new \PDO(
            sprintf('mysql:host=%s;dbname=%s;charset=utf8mb4', getenv('MARIADB_HOST') ?: 'mariadb', getenv('MARIADB_DATABASE')),
            (string) getenv('MARIADB_USER'),
            (string) getenv('MARIADB_PASSWORD'),
            [
                \PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION,
                \PDO::ATTR_DEFAULT_FETCH_MODE => \PDO::FETCH_ASSOC,
                \PDO::ATTR_PERSISTENT => PHP_SAPI !== 'cli',
                \PDO::ATTR_TIMEOUT => 3,
            ],
        );
    }

    /** Forgets a connection that the server closed: a process that lives for hours outlives the server. */
    public static function refresh(): void
    {
        try {
            @self::$connection?->query('SELECT 1');
        } catch (\PDOException) {
            self::$connection = null;
        }
    }
}
