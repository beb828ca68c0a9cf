# No sub around it.
unset req.http.Cookie;
set req.http.X-Cookies = "none"; /* and so on */
