# Tabs, blank lines, spaces at line ends, and everything in unusual places.   


vcl	4.1	;

	backend	default	{	.host	=	"127.0.0.1"	;	}	

 	 
sub
vcl_recv
{
if	(req.method=="PURGE"){return(synth(405));}else	if(req.url~"^/a"&&!req.http.b||req.http.c!="d"){set	req.http.e="f"+req.url;}
elseif
(req.url
==
"/g"
)
{ }
else{}
/**/
}


