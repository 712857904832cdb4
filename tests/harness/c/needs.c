/* A program that needs a library: the loader runs that one's constructor before main. */
unsigned la_version(unsigned version);

int main(void)
{
    return (int)la_version(0);
}
